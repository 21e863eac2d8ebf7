"""A dataset's batches as tensors."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch.utils.data import Dataset as MapDataset
from torch.utils.data import get_worker_info
from torch.utils.data._utils.collate import default_collate_fn_map

from bagmill.cores import usable_cores
from bagmill.errors import TrainingError
from bagmill.profile import feature_kind
from bagmill.training.augment import Augmentation, augment
from bagmill.training.columns import ArraySpec
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.mixture import Mixture
from bagmill.training.order import Batch
from bagmill.training.process_buffers import ProcessBuffers
from bagmill.training.sample_index import one_sample
from bagmill.training.scaling import SignalScaling

Tensors = dict[str, torch.Tensor]
Images = Literal["uint8", "float32"]


class TensorBatch(Tensors):
    """A whole batch, for a `DataLoader`: its `default_collate` leaves it as it is, as `as_is` does."""

    def __missing__(self, key: object) -> _BatchMark:
        # `default_collate` takes what it is given for a list of samples, and looks at the first of them.
        if key == 0:
            return _BatchMark()
        raise KeyError(key)


class _BatchMark:
    """What `default_collate` finds where a list would have its first sample."""


def _leave_batch(batch: Any, *, collate_fn_map: object = None) -> Any:  # noqa: ARG001 - as torch calls it
    return as_is(batch)


# The way that torch documents for types of one's own: see `default_collate`.
default_collate_fn_map[_BatchMark] = _leave_batch


class TorchDataset(MapDataset[Tensors]):
    """A dataset or mixture whose samples are tensors, pictures with their channels first.

    A `DataLoader` of your own takes it, also by way of a `Subset`: a whole batch is asked for at once and decoded into the
    tensors that are handed out, with `collate_fn=as_is` or without.

    Args:
        dataset: What is read.
        images: `uint8`, or `float32` from 0 to 1, which is four times as much to carry about.
        is_contiguous: Store pictures channel by channel. False: as they are decoded, channel beside channel, which is
            torch's memory format `channels_last`, costs nothing, and is what convolutions on a GPU prefer.
        scaling: Of the signals, which are float32 then; None: as they are stored.
        augmentations: Changes to the pictures, one after the other.
        seed: The augmentations follow from it.
        is_pinned: Whether tensors lie in page-locked memory, from which a GPU fetches them by itself. Without a GPU it
            means nothing.

    Raises:
        TrainingError: It is no dataset of bagmill's, or the scaling is of another number of sources.
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
        self.dataset = checked_dataset(dataset)
        if scaling is not None and scaling.num_sources != len(self._sources):
            raise TrainingError(
                f"the scaling is of {scaling.num_sources} statistics, the samples of {len(self._sources)} sources",
                remedy="Give SignalScaling the statistics of every source of the mixture, in its order",
            )
        self.images, self.is_contiguous = images, is_contiguous
        self.is_pinned = is_pinned and torch.cuda.is_available()
        self.scaling, self.augmentations, self.seed = scaling, tuple(augmentations), seed
        self.memory_spec = {key: self._in_memory(key, spec) for key, spec in dataset.spec.items()}
        """Key → how one sample lies in memory, before pictures are looked at with their channels first."""
        self._buffers = ProcessBuffers()

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, sample: int) -> Tensors:
        return {key: tensor[0] for key, tensor in self.__getitems__([one_sample(sample)]).items()}

    def __contains__(self, key: object) -> bool:
        """Whether a sample has a key."""
        return key in self.memory_spec

    def __getitems__(self, samples: Sequence[int]) -> Tensors:
        """One batch, first axis the samples. Errors as of the dataset's `batch`."""
        made = {key: self._new((len(samples), *spec.shape), spec.dtype) for key, spec in self.memory_spec.items()}
        self.read(samples, out={key: tensor.numpy() for key, tensor in made.items()})
        return TensorBatch(self.hand_out(made))

    def read(self, samples: Sequence[int], *, out: Mapping[str, NDArray[Any]]) -> None:
        """Write a batch to arrays as `memory_spec` has them, one row a sample. Errors as of the dataset's `batch`."""
        arrays = {
            key: self._buffers.empty((len(samples), *spec.shape), spec.dtype) if self._is_converted(key) else out[key]
            for key, spec in self.dataset.spec.items()
        }
        is_filled = (
            {}
            if self.scaling is None
            else {
                key: np.zeros((len(samples), *spec.shape[:-1]), np.bool_)
                for key, spec in self.dataset.spec.items()
                if key in self.scaling.signals
            }
        )
        self.dataset.batch(samples, out=arrays, is_filled=is_filled)
        if self.augmentations:
            epoch = samples.epoch if isinstance(samples, Batch) else 0
            num_threads = self._sources[0].num_threads or usable_cores()
            numbers = self.dataset.positions(samples)
            augment(arrays, self.augmentations, seed=self.seed, epoch=epoch, samples=numbers, num_threads=num_threads)
        if self.scaling is not None:
            self.scaling.apply(arrays, is_filled=is_filled)
        for key in filter(self._is_converted, arrays):
            read, made = torch.from_numpy(arrays[key]), torch.from_numpy(out[key])
            if _is_image(key) and self.is_contiguous:
                read = read.movedim(-1, -3)
            if _is_image(key) and self.images == "float32":
                torch.div(read, 255, out=made)
            else:
                made.copy_(read)

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
        if _is_image(key):
            return self.images == "float32" or self.is_contiguous
        return self.memory_spec[key].dtype != self.dataset.spec[key].dtype

    def _in_memory(self, key: str, spec: ArraySpec) -> ArraySpec:
        if not _is_image(key):
            # In doubles up to here: what is scaled is of the order of 1, and models are float32.
            is_scaled = self.scaling is not None and key in self.scaling.signals
            return replace(spec, dtype=np.dtype(np.float32)) if is_scaled else spec
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
    return dict(batch) if isinstance(batch, TensorBatch) else batch


def checked_dataset(dataset: object) -> EpisodeDataset | Mixture:
    """What a loader can read.

    Raises:
        TrainingError: It is something else, with what to do about it.
    """
    if isinstance(dataset, EpisodeDataset | Mixture):
        return dataset
    if isinstance(dataset, TorchDataset):
        remedy = (
            "Give the dataset that it was made of; images, scaling and augment are arguments of make_loader as well"
        )
    elif isinstance(dataset, str | os.PathLike):
        remedy = f"Open it first: EpisodeDataset({str(dataset)!r})"
    else:
        remedy = (
            "Choose episodes by `where` or `split` of an EpisodeDataset. A part by samples is for torch's own loader: "
            "DataLoader(Subset(TorchDataset(data), samples), batch_size=…)"
        )
    raise TrainingError(f"expected an EpisodeDataset or a Mixture, found {type(dataset).__name__}", remedy=remedy)


def shared_bytes(size_bytes: int) -> torch.Tensor:
    """uint8 (size_bytes,) that may be sent to another process without being copied."""
    # As torch's own `default_collate` takes its memory.
    new_shared: Callable[..., torch.UntypedStorage] = torch.UntypedStorage._new_shared  # noqa: SLF001
    return torch.empty(0, dtype=torch.uint8).set_(new_shared(size_bytes, device="cpu"))


def _is_image(key: str) -> bool:
    return feature_kind(key) == "image"
