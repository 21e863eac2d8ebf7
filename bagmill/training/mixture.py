"""Several datasets as one: samples drawn from each by weight, laid into arrays that fit all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.dataset import Dataset
from bagmill.errors import TrainingError
from bagmill.profile import feature_kind
from bagmill.training.columns import MASK, ArraySpec
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.permutation import Permutation
from bagmill.training.process_buffers import ProcessBuffers
from bagmill.training.proportions import Proportions, Weight

SOURCE: Final = "source"
DIMS: Final = "dims/"
"""First part of the keys that say which numbers of a signal a source has."""


@dataclass(frozen=True, slots=True)
class SourceStatistics:
    """What one source gives to a mixture."""

    share: float
    """Of all draws, 0 to 1."""
    num_episodes: int
    num_samples: int
    hours: float
    """Of its episodes, all together."""
    num_drawn: int
    """Samples drawn from it so far."""
    num_passes: float
    """How often all of it has been gone through so far."""


class Mixture:
    """Datasets in given proportions; takes the place of an `EpisodeDataset`. Picklable, as they are.

    Sample n is the n-th draw, without an end: a source that has been gone through is gone through again, shuffled anew. As
    every draw is found without those before it, a mixture is deterministic, and resumed anywhere at no cost.

    A sample holds the features of all sources. Signals are as long as the longest source's, zeros filling up what another
    one lacks, and `dims/<feature>` (D,) is True where a source has them; a feature that a source lacks altogether is zeros,
    and its mask False. `source` (int64) says which source it is, `episode` is a row of that source's table.

    Args:
        sources: Datasets and their weights.
        seed: The order follows from it.
        num_samples: What counts as an epoch; None: as many draws as the sources have samples together.

    Raises:
        TrainingError: Sources whose pictures or windows differ, without samples, or with weights that are none.
    """

    def __init__(
        self, sources: Sequence[tuple[EpisodeDataset, Weight]], *, seed: int = 0, num_samples: int | None = None
    ) -> None:
        self.sources = tuple(source for source, _ in sources)
        self.seed = seed
        self._proportions = Proportions([weight for _, weight in sources], seed=seed)
        self._lengths = [len(source) for source in self.sources]
        for number, length in enumerate(self._lengths):
            if not length:
                raise TrainingError(f"source {number} of the mixture has no sample", remedy="Leave it out")
        self._num_samples = sum(self._lengths) if num_samples is None else num_samples
        if self._num_samples < 1:
            raise TrainingError(f"expected an epoch of at least one sample, found {num_samples}")
        self.spec: Mapping[str, ArraySpec] = _merge([source.spec for source in self.sources])
        self._buffers = ProcessBuffers()
        self._dims = [
            {
                key: np.arange(spec.shape[0]) < _num_dims(source.spec, key.removeprefix(DIMS))
                for key, spec in self.spec.items()
                if key.startswith(DIMS)
            }
            for source in self.sources
        ]

    def __len__(self) -> int:
        return self._num_samples

    def __repr__(self) -> str:
        shares = ", ".join(f"{float(share):.4g} of {source!r}" for share, source in self._shares())
        return f"Mixture({shares}, seed={self.seed})"

    def draw(self, samples: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sources (N,) of samples (N,), and which of their source's samples they are (N,).

        Raises:
            TrainingError: A number below zero.
        """
        wanted = np.asarray(samples, np.int64).reshape(-1)
        if len(wanted) and wanted.min() < 0:
            raise TrainingError(f"there is no sample {wanted.min()}: they count from 0")
        sources, numbers = self._proportions.draws(wanted)
        drawn = np.empty_like(numbers)
        for source in np.unique(sources).tolist():
            passes, positions = np.divmod(numbers, self._lengths[source])
            for each in np.unique(passes[sources == source]).tolist():
                here = (sources == source) & (passes == each)
                order = Permutation(self._lengths[source], "mixture source", self.seed, source, each)
                drawn[here] = order(positions[here])
        return sources, drawn

    def __getitem__(self, sample: int) -> dict[str, NDArray[Any]]:
        return self.__getitems__([sample])[0]

    def __getitems__(self, samples: ArrayLike) -> list[dict[str, NDArray[Any]]]:
        batch = self.batch(samples)
        return [{key: array[n, ...] for key, array in batch.items()} for n in range(len(batch[SOURCE]))]

    def batch(
        self,
        samples: ArrayLike,
        *,
        out: Mapping[str, NDArray[Any]] | None = None,
        rows: NDArray[np.int64] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Several samples, each array with the leading axis N.

        Args:
            samples: (N,)
            out: Where they are written to; None: new arrays.
            rows: (N,) the row of `out` that each sample goes to; None: the first N.

        Raises:
            TrainingError: A number below zero.
            StorageError: An episode is damaged.
        """
        sources, drawn = self.draw(samples)
        if rows is None:
            rows = np.arange(len(drawn))
        if out is None:
            out = {key: self._buffers.empty((len(drawn), *spec.shape), spec.dtype) for key, spec in self.spec.items()}
        for number in np.unique(sources).tolist():
            here = sources == number
            self._blank(out, rows[here], source=number)
            source = self.sources[number]
            source.batch(drawn[here], out={key: out[key] for key in source.spec}, rows=rows[here])
        return {key: out[key] for key in self.spec}

    @property
    def is_remote(self) -> bool:
        """Whether a source is in a store, so that `prefetch` saves waiting."""
        return any(source.is_remote for source in self.sources)

    def prefetch(self, samples: ArrayLike, *, is_for_others: bool = False) -> None:
        """Begin to fetch what samples need of stores; see `EpisodeDataset.prefetch`.

        Raises:
            TrainingError: A number below zero.
        """
        sources, drawn = self.draw(samples)
        for number in np.unique(sources).tolist():
            self.sources[number].prefetch(drawn[sources == number], is_for_others=is_for_others)

    def statistics(self, num_drawn: int | None = None) -> list[SourceStatistics]:
        """What each source gives.

        Args:
            num_drawn: How many samples have been drawn; None: those of an epoch.
        """
        drawn = self._proportions.num_drawn(len(self) if num_drawn is None else num_drawn).tolist()
        return [
            SourceStatistics(
                share=float(share),
                num_episodes=source.num_episodes,
                num_samples=len(source),
                hours=float(source.table["duration_s"].sum()) / 3600,
                num_drawn=count,
                num_passes=count / len(source),
            )
            for (share, source), count in zip(self._shares(), drawn, strict=True)
        ]

    def recipe(self) -> dict[str, Any]:
        """All that is needed to construct it again, as JSON holds it."""
        return {
            "mixture": [{"weight": str(share), "dataset": source.recipe()} for share, source in self._shares()],
            "seed": self.seed,
            "num_samples": self._num_samples,
        }

    @classmethod
    def from_recipe(cls, recipe: Mapping[str, Any], *, datasets: Sequence[Dataset | Path | str] | None = None) -> Self:
        """The mixture that a recipe was taken of.

        Args:
            recipe: By `recipe`.
            datasets: Where the sources' folders are now; None: where they were.
        """
        sources = recipe["mixture"]
        folders = [None] * len(sources) if datasets is None else list(datasets)
        return cls(
            [
                (EpisodeDataset.from_recipe(source["dataset"], dataset=folder), source["weight"])
                for source, folder in zip(sources, folders, strict=True)
            ],
            seed=recipe["seed"],
            num_samples=recipe["num_samples"],
        )

    def _shares(self) -> list[tuple[Fraction, EpisodeDataset]]:
        return list(zip(self._proportions.shares, self.sources, strict=True))

    def _blank(self, out: Mapping[str, NDArray[Any]], rows: NDArray[np.int64], *, source: int) -> None:
        """Write what a source says of itself, and zeros where it has nothing to write."""
        own = self.sources[source].spec
        dims = self._dims[source]
        for key, spec in self.spec.items():
            if key == SOURCE:
                out[key][rows] = source
            elif key in dims:
                out[key][rows] = dims[key]
            elif key not in own:
                out[key][rows] = 0
            elif own[key].shape != spec.shape:
                out[key][rows, ..., own[key].shape[-1] :] = 0


def _merge(specs: Sequence[Mapping[str, ArraySpec]]) -> dict[str, ArraySpec]:
    """What the samples of all sources fit in."""
    merged: dict[str, ArraySpec] = {}
    for key in dict.fromkeys(key for spec in specs for key in spec):
        holders = [spec for spec in specs if key in spec]
        is_vector = all(_is_vector(spec, key) for spec in holders)
        merged[key] = _common(key, [spec[key] for spec in holders], is_vector=is_vector)
        if is_vector:
            merged[DIMS + key] = ArraySpec(merged[key].shape[-1:], np.dtype(np.bool_))
    merged[SOURCE] = ArraySpec((), np.dtype(np.int64))
    return merged


def _common(key: str, found: Sequence[ArraySpec], *, is_vector: bool) -> ArraySpec:
    """The array that takes what each of some sources holds of a key."""
    shapes = [spec.shape[:-1] if is_vector else spec.shape for spec in found]
    for shape in shapes:
        if shape != shapes[0]:
            kind = feature_kind(key)
            frame = slice(-3, None) if kind == "image" else slice(-2, None)
            is_size = kind != "signal" and shape[frame] != shapes[0][frame]
            raise TrainingError(
                f"{key} is {shapes[0]} in one source of the mixture and {shape} in another",
                remedy="Give all of them the same image_size" if is_size else "Give all of them the same windows",
            )
    if not is_vector:
        return found[0]
    width = max(spec.shape[-1] for spec in found)
    return ArraySpec((*shapes[0], width), np.result_type(*(spec.dtype for spec in found)))


def _is_vector(spec: Mapping[str, ArraySpec], key: str) -> bool:
    """Whether a key is a signal of several values a tick, which may be fewer in another source."""
    mask = spec.get(f"{MASK}/{key}")
    return mask is not None and feature_kind(key) == "signal" and len(spec[key].shape) == len(mask.shape) + 1


def _num_dims(spec: Mapping[str, ArraySpec], key: str) -> int:
    return spec[key].shape[-1] if key in spec else 0
