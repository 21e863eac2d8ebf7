"""Several datasets as one: samples drawn from each by weight, laid into arrays that fit all of them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.dataset import Dataset, HeldFeature, JoinedFeature, join_feature
from bagmill.errors import FeatureError, NoSampleError, TrainingError
from bagmill.profile import feature_kind
from bagmill.training.columns import MASK, ArraySpec
from bagmill.training.dataset import EpisodeDataset
from bagmill.training.permutation import Permutation
from bagmill.training.process_buffers import ProcessBuffers
from bagmill.training.proportions import Proportions, Weight, exact_weight
from bagmill.training.recipe import MixtureRecipe, checked_recipe
from bagmill.training.sample_index import one_sample, sample_numbers

_LOG: Final = logging.getLogger(__name__)

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

    A source may be a mixture: its own sources then take its place, each with its share of the weight.

    Sample n is the n-th draw, without an end: a source that has been gone through is gone through again, shuffled anew. As
    every draw is found without those before it, a mixture is deterministic, and resumed anywhere at no cost.

    A sample holds the features of all sources. A signal has every column that any source has, matched by name (by place where
    columns have no names), zeros standing for what a source lacks, and `dims/<feature>` (D,) is True where it has them. A
    feature that a source lacks altogether is zeros, and its mask False. `source` (int64) says which source it is, `episode`
    is a row of that source's table.

    Args:
        sources: Datasets and their weights.
        seed: The order follows from it.
        num_samples: What counts as an epoch; None: as many draws as the sources have samples together.

    Raises:
        TrainingError: Sources whose pictures, windows, units or scales differ, without samples, or with weights that are none.
    """

    def __init__(
        self,
        sources: Sequence[tuple[EpisodeDataset | Mixture, Weight]],
        *,
        seed: int = 0,
        num_samples: int | None = None,
    ) -> None:
        flat = _flat(sources)
        self.sources = tuple(source for source, _ in flat)
        self.seed = seed
        self._proportions = Proportions([weight for _, weight in flat], seed=seed)
        self._lengths = [len(source) for source in self.sources]
        for number, length in enumerate(self._lengths):
            if not length:
                raise TrainingError(f"source {number} of the mixture has no sample", remedy="Leave it out")
        self._num_samples = sum(self._lengths) if num_samples is None else num_samples
        if self._num_samples < 1:
            raise TrainingError(f"expected an epoch of at least one sample, found {num_samples}")
        specs = [source.spec for source in self.sources]
        joined = _join(specs)
        self.spec: Mapping[str, ArraySpec] = _merge(specs, joined)
        num_holders = {key: sum(key in spec for spec in specs) for key in joined}
        self.notes = tuple(each.note for key, each in joined.items() if each.note is not None and num_holders[key] > 1)
        """What sources could not be compared in: signals whose columns have no names."""
        for note in self.notes:
            _LOG.info(note)
        self._buffers = ProcessBuffers()
        self._places = [_places(spec, joined) for spec in specs]
        """By source: signal → (d,) the mixture's column that each of its own is."""
        self._dims = [
            {
                key: np.isin(np.arange(spec.shape[0]), places.get(key.removeprefix(DIMS), ()))
                for key, spec in self.spec.items()
                if key.startswith(DIMS)
            }
            for places in self._places
        ]

    def __len__(self) -> int:
        return self._num_samples

    def __iter__(self) -> Iterator[dict[str, NDArray[Any]]]:
        """The samples of the first epoch. Without this, Python would ask for one after the other, without an end."""
        return map(self.__getitem__, range(len(self)))

    def __contains__(self, key: object) -> bool:
        """Whether a sample has a key."""
        return key in self.spec

    @property
    def shares(self) -> tuple[Fraction, ...]:
        """Each source's part of all draws: they add up to one."""
        return self._proportions.shares

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that a source or more has."""
        return tuple(dict.fromkeys(name for source in self.sources for name in source.features))

    def positions(self, samples: ArrayLike) -> NDArray[np.int64]:
        """Samples (N,) by their numbers from 0 on. Errors as of `draw`."""
        wanted = sample_numbers(samples)
        if len(wanted) and wanted.min() < 0:
            raise NoSampleError(
                f"there is no sample {wanted.min()}: they count from 0, and a mixture has no last one",
                remedy="Of one source, its last sample is mixture.sources[n][-1]",
            )
        return wanted

    def __repr__(self) -> str:
        shares = ", ".join(f"{float(share):.4g} of {source!r}" for share, source in self._shares())
        return f"Mixture({shares}, seed={self.seed})"

    def draw(self, samples: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Sources (N,) of samples (N,), and which of their source's samples they are (N,).

        Raises:
            TrainingError: A number below zero.
        """
        wanted = self.positions(samples)
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
        return self.__getitems__([one_sample(sample)])[0]

    def __getitems__(self, samples: ArrayLike) -> list[dict[str, NDArray[Any]]]:
        batch = self.batch(samples)
        return [{key: array[n, ...] for key, array in batch.items()} for n in range(len(batch[SOURCE]))]

    def batch(
        self,
        samples: ArrayLike,
        *,
        out: Mapping[str, NDArray[Any]] | None = None,
        rows: NDArray[np.int64] | None = None,
        is_filled: Mapping[str, NDArray[np.bool_]] | None = None,
    ) -> dict[str, NDArray[Any]]:
        """Several samples, each array with the leading axis N.

        Args:
            samples: (N,)
            out: Where they are written to; None: new arrays.
            rows: (N,) the row of `out` that each sample goes to; None: the first N.
            is_filled: As of `EpisodeDataset.batch`; all of a feature that a source lacks.

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
            self._draw_from(number, drawn[here], out, rows[here], is_filled=is_filled or {})
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

        Raises:
            TrainingError: It is no such recipe, or there is another number of folders; and as the constructor.
        """
        checked = checked_recipe(
            MixtureRecipe, recipe, noun="mixture", other="A dataset's recipe is for EpisodeDataset.from_recipe"
        )
        sources = checked.mixture
        folders = [None] * len(sources) if datasets is None else list(datasets)
        if len(folders) != len(sources):
            raise TrainingError(
                f"there are {len(folders)} datasets, and {len(sources)} sources in the recipe",
                remedy="Give one for every source, in its order",
            )
        return cls(
            [
                (EpisodeDataset.from_recipe(source.dataset, dataset=folder), source.weight)
                for source, folder in zip(sources, folders, strict=True)
            ],
            seed=checked.seed,
            num_samples=checked.num_samples,
        )

    def _shares(self) -> list[tuple[Fraction, EpisodeDataset]]:
        return list(zip(self._proportions.shares, self.sources, strict=True))

    def _draw_from(
        self,
        number: int,
        drawn: NDArray[np.int64],
        out: Mapping[str, NDArray[Any]],
        rows: NDArray[np.int64],
        *,
        is_filled: Mapping[str, NDArray[np.bool_]],
    ) -> None:
        """Write samples of one source, whose columns may stand in another order, to rows that were blanked."""
        source = self.sources[number]
        given = {key: out[key] for key in source.spec}
        moved = {
            key: places
            for key, places in self._places[number].items()
            if not np.array_equal(places, np.arange(len(places)))
        }
        for key in moved:
            given[key] = np.empty((len(out[key]), *source.spec[key].shape), out[key].dtype)
        source.batch(drawn, out=given, rows=rows, is_filled=is_filled)
        for key, of_signal in is_filled.items():
            if key not in source:
                of_signal[rows] = True
        for key, places in moved.items():
            arranged = np.zeros((len(rows), *self.spec[key].shape), out[key].dtype)
            arranged[..., places] = given[key][rows]
            out[key][rows, ..., : arranged.shape[-1]] = arranged

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


def _flat(sources: Sequence[tuple[EpisodeDataset | Mixture, Weight]]) -> list[tuple[EpisodeDataset, Fraction]]:
    """Datasets and their weights, mixtures taken apart."""
    flat: list[tuple[EpisodeDataset, Fraction]] = []
    for source, weight in sources:
        exact = exact_weight(weight)
        if isinstance(source, Mixture):
            flat += [(each, exact * share) for each, share in zip(source.sources, source.shares, strict=True)]
        elif isinstance(source, EpisodeDataset):
            flat.append((source, exact))
        else:
            raise TrainingError(
                f"a mixture's source is an EpisodeDataset or a Mixture, found {type(source).__name__}",
                remedy="Mix the EpisodeDatasets, and give the mixture to make_loader or TorchDataset",
            )
    return flat


def _join(specs: Sequence[Mapping[str, ArraySpec]]) -> dict[str, JoinedFeature]:
    """Signals and depth, as all sources together have them."""
    joined: dict[str, JoinedFeature] = {}
    for key in dict.fromkeys(key for spec in specs for key in spec if f"{MASK}/{key}" in spec):
        holders: dict[HeldFeature, str] = {}
        for number, spec in enumerate(specs):
            if key in spec:
                holders.setdefault(spec[key].as_held(key), f"source {number} of the mixture")
        try:
            joined[key] = join_feature(holders, choose=lambda *_: "leave one of these sources out", is_union=True)
        except FeatureError as err:
            raise TrainingError(err.problem, remedy=err.remedy) from err
    return joined


def _places(spec: Mapping[str, ArraySpec], joined: Mapping[str, JoinedFeature]) -> dict[str, NDArray[np.intp]]:
    """Signals of a source, with the place of each of their columns."""
    return {key: each.places[spec[key].as_held(key)] for key, each in joined.items() if key in spec and each.places}


def _merge(specs: Sequence[Mapping[str, ArraySpec]], joined: Mapping[str, JoinedFeature]) -> dict[str, ArraySpec]:
    """What the samples of all sources fit in."""
    merged: dict[str, ArraySpec] = {}
    for key in dict.fromkeys(key for spec in specs for key in spec):
        holders = [spec for spec in specs if key in spec]
        is_vector = all(_is_vector(spec, key) for spec in holders)
        merged[key] = _common(key, [spec[key] for spec in holders], is_vector=is_vector)
        if is_vector:
            held = joined[key].held
            merged[key] = ArraySpec.of(held, (*merged[key].shape[:-1], *held.shape), held.dtype)
            merged[DIMS + key] = ArraySpec(merged[key].shape[-1:], np.dtype(np.bool_))
    merged[SOURCE] = ArraySpec((), np.dtype(np.int64))
    return merged


def _common(key: str, found: Sequence[ArraySpec], *, is_vector: bool) -> ArraySpec:
    """The array that takes what each of some sources holds of a key, but for its columns."""
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
    return found[0]


def _is_vector(spec: Mapping[str, ArraySpec], key: str) -> bool:
    """Whether a key is a signal of several values a tick, which may be fewer in another source."""
    mask = spec.get(f"{MASK}/{key}")
    return mask is not None and feature_kind(key) == "signal" and len(spec[key].shape) == len(mask.shape) + 1
