"""What a sample is made of: which arrays of an episode, and what is made of their rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset import HeldFeature
from bagmill.episodes import layout
from bagmill.episodes.value_array import read_value_array, value_array_paths
from bagmill.errors import TrainingError
from bagmill.profile import feature_kind

MASK: Final = "mask"
"""First part of the keys that say which values of a feature are real."""
SKEW: Final = "skew"
_FACTS: Final = {
    layout.VALID: np.dtype(np.bool_),
    layout.INTERPOLATED: np.dtype(np.bool_),
    layout.SOURCE: np.dtype(np.int64),
    layout.SEQUENCE: np.dtype(np.int64),
    SKEW: np.dtype(np.int64),
}
"""What is known of every tick of a feature besides its value, by the first part of the key: `skew/images/wrist`."""
_ACTIONS: Final = ("action", "actions")


@dataclass(frozen=True, slots=True)
class ArraySpec:
    """One array of a sample, or of a batch without its first axis."""

    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    names: tuple[str, ...] = ()
    """Signals: of the columns, the last axis; empty where it is not known."""
    named: tuple[bool, ...] = ()
    """Signals: whether a column's name is its own, as that of a joint; else it numbers a place, and is matched by that."""
    units: tuple[str | None, ...] = ()
    """Signals: of every column, None where none is said; empty where it is not known."""
    scale_m: float | None = None
    """Depth: metres that a count is; None where it is not known."""

    @property
    def is_named(self) -> bool:
        """Whether all columns of a signal have names of their own."""
        return bool(self.named) and all(self.named)

    @classmethod
    def of(cls, held: HeldFeature, shape: tuple[int, ...], dtype: np.dtype[Any]) -> Self:
        """The array of a feature."""
        return cls(shape, dtype, held.names, held.named, held.units, held.scale_m)

    def as_held(self, key: str) -> HeldFeature:
        """The feature that it is the array of, without its window."""
        kind = feature_kind(key)
        num_axes = {"image": 3, "depth": 2, "signal": 1}[kind]
        shape = self.shape[-num_axes:]
        return HeldFeature(key, kind, shape, self.dtype, self.names, self.named, self.units, self.scale_m)


@dataclass(frozen=True, slots=True)
class Column:
    """One number or vector a tick, of a signal or of what is known about ticks."""

    key: str
    """Of the sample."""
    feature: str
    """Whose ticks it is taken at: a signal's own, or that of the feature that a fact is about."""
    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def read(self, episode: Path, num_ticks: int, *, dtype: np.dtype[Any]) -> NDArray[Any]:
        """All ticks of an episode, (T, *shape).

        Args:
            episode: Its folder.
            num_ticks: T.
            dtype: As it is stored there.

        Raises:
            StorageError: The array is damaged.
        """
        if not self.key.startswith(f"{SKEW}/"):
            return read_value_array(episode, self.key, shape=(num_ticks, *self.shape), dtype=dtype)
        shape, stamps = (num_ticks,), np.dtype(np.int64)
        source = read_value_array(episode, f"{layout.SOURCE}/{self.feature}", shape=shape, dtype=stamps)
        is_valid = read_value_array(episode, f"{layout.VALID}/{self.feature}", shape=shape, dtype=_FACTS[layout.VALID])
        return np.where(is_valid, source - read_value_array(episode, layout.TIME, shape=shape, dtype=stamps), 0)

    def paths(self, episode: str, num_ticks: int, *, dtype: np.dtype[Any]) -> list[str]:
        """The files that `read` reads with the same arguments."""
        if not self.key.startswith(f"{SKEW}/"):
            arrays = [(self.key, (num_ticks, *self.shape), dtype)]
        else:
            arrays = [
                (f"{layout.SOURCE}/{self.feature}", (num_ticks,), np.dtype(np.int64)),
                (f"{layout.VALID}/{self.feature}", (num_ticks,), _FACTS[layout.VALID]),
                (layout.TIME, (num_ticks,), np.dtype(np.int64)),
            ]
        root = Path(episode)
        return [
            str(path) for name, shape, kind in arrays for path in value_array_paths(root, name, shape=shape, dtype=kind)
        ]


def is_action(feature: str) -> bool:
    """Whether a feature is what the policy gives, by its name: `action`, `actions`, and what is below them."""
    return feature.split("/", 1)[0] in _ACTIONS


def fact_column(key: str, features: Mapping[str, HeldFeature]) -> Column | None:
    """The column of a fact about ticks, `valid/images/wrist`; None where the key is none."""
    if key == layout.TIME:
        return Column(key, key, (), np.dtype(np.int64))
    fact, _, feature = key.partition("/")
    return Column(key, feature, (), _FACTS[fact]) if fact in _FACTS and feature in features else None


def common_features(
    per_episode: Sequence[Mapping[str, HeldFeature]], wanted: Sequence[str] | None
) -> dict[str, list[HeldFeature]]:
    """Features that every episode has, each as the different ones among the episodes hold it.

    Args:
        per_episode: By `held_features`.
        wanted: Names; None: all that are in every episode.

    Raises:
        TrainingError: An episode lacks one that is wanted.
    """
    groups: dict[int, tuple[Mapping[str, HeldFeature], int]] = {}
    for features in per_episode:
        _, num = groups.get(id(features), (features, 0))
        groups[id(features)] = features, num + 1
    kinds = [features for features, _ in groups.values()]
    if wanted is None:
        first = kinds[0] if kinds else {}
        names = [name for name in first if all(name in features for features in kinds)]
    else:
        names = list(dict.fromkeys(wanted))
        for name in names:
            num_lacking = sum(num for features, num in groups.values() if name not in features)
            if num_lacking:
                known = sorted({each for features in kinds for each in features})
                raise TrainingError(
                    f"{num_lacking} of {len(per_episode)} episodes have no feature {name}",
                    remedy=f"Select episodes by `where`, or other features; there are {', '.join(known) or 'none'}",
                )
    return {name: list(dict.fromkeys(features[name] for features in kinds)) for name in names}
