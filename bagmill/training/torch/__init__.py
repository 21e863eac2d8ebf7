"""Batches as tensors, in one order over all ranks: the only part of bagmill that needs PyTorch.

Belongs here: tensors, workers as torch starts them, what `torch.distributed` says. Stays out: the order of samples and what is
done to them (`training`, which is NumPy).
"""

try:
    import torch as torch
except ModuleNotFoundError as err:
    if err.name != "torch":
        raise
    raise ModuleNotFoundError(
        "bagmill.training.torch needs PyTorch: install bagmill with its extra `torch`, pip install 'bagmill[torch]'. "
        "Without it, EpisodeDataset and Mixture give NumPy arrays.",
        name="torch",
    ) from err

from bagmill.training.order import ShuffledBatches
from bagmill.training.torch.dataset import Images, Tensors, TorchDataset, as_is
from bagmill.training.torch.loader import Loader, make_loader
from bagmill.training.torch.workers import StartMethod

__all__ = ["Images", "Loader", "ShuffledBatches", "StartMethod", "Tensors", "TorchDataset", "as_is", "make_loader"]
