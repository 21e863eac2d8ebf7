"""A dataset's batches as tensors."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset as MapDataset
from torch.utils.data import get_worker_info

from bagmill.cores import usable_cores
from bagmill.errors import TrainingError
from bagmill.profile import feature_kind
from bagmill.training.augment import Augmentation, augment
from bagmill.training.columns import ArraySpec
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.mixture import Mixture
from bagmill.training.order import Batch
from bagmill.training.process_buffers import ProcessBuffers
from bagmill.training.scaling import SignalScaling

Tensors = dict[str, torch.Tensor]
Images = Literal["uint8", "float32"]


class TorchDataset(MapDataset[Tensors]):
    """A dataset or mixture whose samples are tensors, pictures with their channels first.

    A `DataLoader` of your own takes it with a batch sampler and `collate_fn=as_is`: a whole batch is asked for at once and
    decoded into the tensors that are handed out.

    Args:
        dataset: What is read.
        images: `uint8`, or `float32` from 0 to 1, which is four times as much to carry about.
        is_contiguous: Store pictures channel by channel. False: as they are decoded, channel beside channel, which is
            torch's memory format `channels_last`, costs nothing, and is what convolutions on a GPU prefer.
        scaling: Of the signals; None: as they are stored.
        augmentations: Changes to the pictures, one after the other.
        seed: The augmentations follow from it.
        is_pinned: Whether tensors lie in page-locked memory, from which a GPU fetches them by itself. Without a GPU it
            means nothing.
    """

    def __init__(
        self,
        dataset: EpisodeDataset | Mixture,
        *,
        images: Images = "uint8",
        is_contiguous: bool = False,
        scaling: SignalScaling | None = None,
        augmentations: Sequence[Augmentation] = (),
        seed: int = 0,
        is_pinned: bool = False,
    ) -> None:
        if images not in ("uint8", "float32"):
            raise TrainingError(f"no kind of images is called {images!r}", remedy="It is uint8 or float32")
        self.dataset = dataset
        self.images, self.is_contiguous = images, is_contiguous
        self.is_pinned = is_pinned and torch.cuda.is_available()
        self.scaling, self.augmentations, self.seed = scaling, tuple(augmentations), seed
        self.memory_spec = {key: self._in_memory(key, spec) for key, spec in dataset.spec.items()}
        """Key → how one sample lies in memory, before pictures are looked at with their channels first."""
        self._buffers = ProcessBuffers()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, sample: int) -> Tensors:
        return {key: tensor[0] for key, tensor in self.__getitems__([sample]).items()}

    def __getitems__(self, samples: Sequence[int]) -> Tensors:
        """One batch, first axis the samples. Errors as of the dataset's `batch`."""
        made = {key: self._new((len(samples), *spec.shape), spec.dtype) for key, spec in self.memory_spec.items()}
        self.read(samples, out={key: tensor.numpy() for key, tensor in made.items()})
        return self.hand_out(made)

    def read(self, samples: Sequence[int], *, out: Mapping[str, NDArray[Any]]) -> None:
        """Write a batch to arrays as `memory_spec` has them, one row a sample. Errors as of the dataset's `batch`."""
        arrays = {
            key: self._buffers.empty((len(samples), *spec.shape), spec.dtype) if self._is_converted(key) else out[key]
            for key, spec in self.dataset.spec.items()
        }
        self.dataset.batch(samples, out=arrays)
        if self.augmentations:
            epoch = samples.epoch if isinstance(samples, Batch) else 0
            num_threads = self._sources[0].num_threads or usable_cores()
            augment(arrays, self.augmentations, seed=self.seed, epoch=epoch, samples=samples, num_threads=num_threads)
        if self.scaling is not None:
            self.scaling.apply(arrays)
        for key in filter(self._is_converted, arrays):
            pictures, made = torch.from_numpy(arrays[key]), torch.from_numpy(out[key])
            if self.is_contiguous:
                pictures = pictures.movedim(-1, -3)
            if self.images == "float32":
                torch.div(pictures, 255, out=made)
            else:
                made.copy_(pictures)

    def hand_out(self, made: Tensors) -> Tensors:
        """A batch that lies in memory as `memory_spec` has it, pictures looked at with their channels first."""
        if self.is_contiguous:
            return made
        return {key: tensor.movedim(-1, -3) if _is_image(key) else tensor for key, tensor in made.items()}

    def set_num_threads(self, num_threads: int) -> None:
        """Decode with so many threads, unless the dataset was told how many."""
        for source in self._sources:
            source.num_threads = source.num_threads or num_threads

    @property
    def _sources(self) -> Sequence[EpisodeDataset]:
        return self.dataset.sources if isinstance(self.dataset, Mixture) else (self.dataset,)

    def _is_converted(self, key: str) -> bool:
        """Whether what is decoded is not what is handed out."""
        return _is_image(key) and (self.images == "float32" or self.is_contiguous)

    def _in_memory(self, key: str, spec: ArraySpec) -> ArraySpec:
        if not _is_image(key):
            return spec
        *axes, height, width, channels = spec.shape
        frame = (channels, height, width) if self.is_contiguous else (height, width, channels)
        return ArraySpec((*axes, *frame), np.dtype(self.images))

    def _new(self, shape: tuple[int, ...], dtype: np.dtype[Any]) -> torch.Tensor:
        """A tensor with whatever lay in its memory, which is where it will be handed out from."""
        is_worker = get_worker_info() is not None
        if not is_worker and not self.is_pinned:
            return torch.from_numpy(self._buffers.empty(shape, dtype))
        kind = torch.from_numpy(np.empty(0, dtype)).dtype
        if not is_worker:
            return torch.empty(shape, dtype=kind, pin_memory=True)
        # Decoded where the other process reads it, or torch would copy it there.
        return shared_bytes(math.prod(shape) * dtype.itemsize).view(kind).view(shape)


def as_is(batch: Any) -> Any:
    """What a `DataLoader` is to do with a batch that is one already: its `collate_fn`."""
    return batch


def shared_bytes(size_bytes: int) -> torch.Tensor:
    """uint8 (size_bytes,) that may be sent to another process without being copied."""
    # As torch's own `default_collate` takes its memory.
    new_shared: Callable[..., torch.UntypedStorage] = torch.UntypedStorage._new_shared  # noqa: SLF001
    return torch.empty(0, dtype=torch.uint8).set_(new_shared(size_bytes, device="cpu"))


def _is_image(key: str) -> bool:
    return feature_kind(key) == "image"
