"""Which episodes and which features are exported, looked up before anything is written."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset import (
    LATEST,
    SPLIT,
    Dataset,
    EpisodeFeatures,
    HeldFeature,
    JoinedFeature,
    episode_features,
    load_snapshot,
    resolve_id,
    select,
)
from bagmill.dataset.confined import EpisodeFolders
from bagmill.episodes import Episode
from bagmill.errors import ExportError, FeatureError

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

_MAX_DENOMINATOR = 100_000
_MOST_NAMED = 5
"""Episodes that an error names."""


@dataclass(frozen=True, slots=True)
class SourceEpisode:
    """One row of the selection."""

    name: str
    version: str
    path: Path
    num_ticks: int
    task: str
    robot: str
    split: str | None
    """The snapshot's, where it has splits."""
    held: Mapping[str, HeldFeature]
    """Its features, as it has them."""

    def open(self) -> Episode:
        """Open it.

        Raises:
            StorageError: It is gone or damaged.
        """
        return Episode(self.path)


@dataclass(frozen=True, slots=True)
class ExportSource:
    """What an export reads: nothing in it is left to a default."""

    dataset: Dataset
    snapshot_id: str
    where: str | None
    episodes: tuple[SourceEpisode, ...]
    """By split, `train` first, then by name."""
    features: Mapping[str, HeldFeature]
    joined: Mapping[str, JoinedFeature]
    """The same, with the order that every episode's columns are brought into."""
    left_out: Mapping[str, str]
    """Feature that is not exported → why."""
    rate_hz: Fraction

    @property
    def num_ticks(self) -> int:
        """Of all episodes together."""
        return sum(episode.num_ticks for episode in self.episodes)

    @property
    def notes(self) -> tuple[str, ...]:
        """What the episodes could not be compared in: signals whose columns have no names."""
        return tuple(each.note for each in self.joined.values() if each.note is not None)

    def signal(self, name: str, each: SourceEpisode, episode: Episode) -> NDArray[np.floating]:
        """A signal's values (T, D) of an episode, columns in the order that all episodes share, in the episode's own dtype.

        Raises:
            StorageError: The episode is damaged.
        """
        values: NDArray[np.floating] = self.joined[name].arranged(episode.signal(name), each.held[name])
        return values


def select_source(
    dataset: Dataset,
    *,
    snapshot: str = LATEST,
    where: str | None = None,
    features: Sequence[str] | None = None,
) -> ExportSource:
    """Look up the episodes and features of an export.

    Args:
        dataset: Where they are.
        snapshot: A snapshot's name or id.
        where: A condition on its columns, as of `dataset.select`; None: all episodes.
        features: Those to export; None: all that every one of these episodes has.

    Raises:
        StorageError: There is no such snapshot, or it is damaged.
        QueryError: The condition cannot be understood.
        ExportError: No episode is left, or the episodes cannot stand in one data set: rates, shapes, columns, units, scales,
            missing features.
    """
    snapshot_id = resolve_id(dataset, snapshot)
    table = load_snapshot(dataset, snapshot_id)
    rows = table if where is None else select(table, where)
    if not len(rows):
        raise ExportError(
            f"none of the {len(table)} episodes of snapshot {snapshot_id} is meant",
            path=dataset.path,
            remedy="Loosen the condition",
        )
    held_by = episode_features(rows, of=table, folder=dataset.path)
    episodes = sorted(
        _episodes(dataset, held_by), key=lambda each: (each.split != "train", each.split or "", each.name)
    )
    if empty := [episode.name for episode in episodes if not episode.num_ticks]:
        raise ExportError(
            f"episodes without a tick: {_some(empty)}", path=dataset.path, remedy="Leave them out: num_ticks > 0"
        )
    joined, left_out = _common_features(held_by, wanted=features)
    return ExportSource(
        dataset=dataset,
        snapshot_id=snapshot_id,
        where=where,
        episodes=tuple(episodes),
        features={name: each.held for name, each in joined.items()},
        joined=joined,
        left_out=left_out,
        rate_hz=_common_rate(rows),
    )


def _episodes(dataset: Dataset, held_by: EpisodeFeatures) -> list[SourceEpisode]:
    rows = held_by.table
    has_split = SPLIT in rows.columns
    splits = rows[SPLIT] if has_split else [None] * len(rows)
    folders = EpisodeFolders(dataset.path, rows["path"])
    columns = (rows["episode"], rows["version"], folders, rows["num_ticks"], rows["task"], rows["robot"], splits)
    return [
        SourceEpisode(
            name=str(name),
            version=str(version),
            path=Path(folder),
            num_ticks=int(num_ticks),
            task=str(task),
            robot=str(robot),
            split=split if isinstance(split, str) else None,
            held=held,
        )
        for name, version, folder, num_ticks, task, robot, split, held in zip(
            *columns, held_by.per_episode, strict=True
        )
    ]


def _common_rate(rows: pd.DataFrame) -> Fraction:
    rates = Counter(rows["rate_hz"].tolist())
    if len(rates) > 1:
        listed = ", ".join(f"{rate:g} Hz ({count})" for rate, count in rates.most_common(_MOST_NAMED))
        raise ExportError(
            f"the episodes have several rates: {listed}",
            remedy=f"Export one rate at a time: rate_hz == {rates.most_common(1)[0][0]:g}",
        )
    (rate,) = rates
    if not 0 < rate < math.inf:
        raise ExportError("the episodes' rate is not known", remedy="Ingest their recordings again")
    # The table holds 30000/1001 as a float.
    return Fraction(rate).limit_denominator(_MAX_DENOMINATOR)


def _common_features(
    held_by: EpisodeFeatures, *, wanted: Sequence[str] | None
) -> tuple[dict[str, JoinedFeature], dict[str, str]]:
    """The features to export in the order of the first episode, and those that are not, with the reason."""
    rows = held_by.table
    said: dict[str, list[tuple[str, HeldFeature]]] = {}
    for episode, features in zip(rows["episode"], held_by.per_episode, strict=True):
        for name, held in features.items():
            said.setdefault(name, []).append((episode, held))
    if unknown := [name for name in wanted or () if name not in said]:
        raise ExportError(
            f"no episode has {', '.join(unknown)}", remedy=f"There are {', '.join(said) or 'no features at all'}"
        )
    found: dict[str, JoinedFeature] = {}
    left_out: dict[str, str] = {}
    for name, facts in said.items():
        if wanted is not None and name not in wanted:
            left_out[name] = "not asked for"
        elif len(facts) < len(rows) and wanted is None:
            left_out[name] = f"only {len(facts)} of {len(rows)} episodes have it"
        elif len(facts) < len(rows):
            have = {episode for episode, _ in facts}
            missing = [episode for episode in rows["episode"] if episode not in have]
            raise ExportError(
                f"{name} is missing in {_some(missing)}", remedy="Leave out the feature, or these episodes"
            )
        else:
            found[name] = _common_feature(name, facts, held_by)
    if not found and wanted is None:
        raise ExportError(
            f"there is no feature that all {len(rows):,} episodes have",
            remedy="Choose episodes of one kind by a condition, such as profile == '…'",
        )
    return found, left_out


def _common_feature(name: str, facts: list[tuple[str, HeldFeature]], held_by: EpisodeFeatures) -> JoinedFeature:
    """As all episodes have it; of several types, the one that has room for all."""
    shapes: dict[tuple[int, ...], list[str]] = {}
    for episode, each in facts:
        shapes.setdefault(each.shape, []).append(episode)
    if len(shapes) > 1:
        listed = "; ".join(f"{' × '.join(map(str, shape))} in {_some(names)}" for shape, names in shapes.items())
        raise ExportError(
            f"{name} has several shapes: {listed}", remedy="Leave out the feature, or the episodes of one shape"
        )
    try:
        return held_by.join(name)
    except FeatureError as err:
        raise ExportError(err.problem, remedy=f"{err.remedy}; or leave out the feature") from err


def _some(names: Sequence[str]) -> str:
    """The first of many names."""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return f"{', '.join(names[:_MOST_NAMED])}{more}"
