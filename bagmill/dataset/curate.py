"""Curated snapshots: a choice among a snapshot's episodes, divided into splits, with the recipe kept in it.

A curated snapshot is a snapshot like any other: a table of its own, immutable, under an id that is a hash of its rows, its
splits and its recipe. It keeps what it names when the snapshot that it was chosen from is pruned, and can be chosen from again.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bagmill.arguments import checked_arguments
from bagmill.dataset.curation import BY_EPISODE, Curation, CurationStep, read_curation, write_curation
from bagmill.dataset.folder import Dataset
from bagmill.dataset.prune_lock import no_prune_meanwhile
from bagmill.dataset.query import find_rows
from bagmill.dataset.snapshot_file import SPLIT, curation_of, put_table, read_table
from bagmill.dataset.snapshot_names import LATEST, check_name, point, resolve_id
from bagmill.dataset.splits import assign_splits, check_fractions
from bagmill.disk import tells_of_disk
from bagmill.errors import QueryError, StorageError

_MOST_NAMES_TOLD: Final = 10


@dataclass(frozen=True, slots=True)
class CuratedSnapshot:
    """A curated snapshot that stands."""

    id: str
    """Hash of its rows, splits and recipe: the same choice from the same snapshot, the same id."""
    path: Path
    base_id: str
    """Of the snapshot that it was chosen from."""
    num_episodes: int
    num_left_out: int
    """Episodes of that snapshot that are not in it."""
    num_by_split: Mapping[str, int]
    """Episodes of each split; empty where there are no splits."""
    is_reused: bool
    """It stood already."""


@checked_arguments(QueryError)
@tells_of_disk
@no_prune_meanwhile
def curate(  # noqa: PLR0913 - each of them is a part of the recipe
    dataset: Dataset,
    base: str = LATEST,
    *,
    where: str | None = None,
    include: Collection[str] = (),
    exclude: Collection[str] = (),
    splits: Mapping[str, float] | None = None,
    by: str = BY_EPISODE,
    salt: str = "",
    name: str | None = None,
) -> CuratedSnapshot:
    """Choose among a snapshot's episodes and write the choice down as a snapshot of its own.

    Args:
        dataset: Whose snapshot.
        base: Name or id of the snapshot that is chosen from.
        where: A condition, as of `select`. None: all episodes; where some are included by name, none but those.
        include: Episodes taken though the condition does not hold for them.
        exclude: Episodes left out whatever else is said.
        splits: Fractions by split, `{"train": 0.8, "val": 0.1, "test": 0.1}`: see `assign_splits`. None: no column `split`,
            or the base's as it is.
        by: Column whose value decides on the split: all episodes that share it are in the same one. Text or whole numbers.
        salt: For another division with the same fractions.
        name: A name to give it; given once, never moved. `latest` stays where it is.

    Raises:
        QueryError: The condition or the splits cannot be understood, a name is of no episode, or none is left.
        StorageError: There is no such snapshot, the name is taken, or the disk does not take it.
    """
    if name is not None:
        _check_free(name)
    if splits is not None:
        check_fractions(splits)
    base_id = resolve_id(dataset, base)
    table = read_table(dataset, base_id)
    step = CurationStep(
        base_id=base_id,
        where=where,
        include=tuple(sorted({*include})),
        exclude=tuple(sorted({*exclude})),
        splits={} if splits is None else {split: float(fraction) for split, fraction in splits.items()},
        by=by,
        salt=salt,
    )
    chosen = table.filter(pa.array(_choose(table, step)))
    if not len(chosen):
        raise QueryError(
            f"no episode of the {len(table):,} in snapshot {base_id} is left",
            remedy="Loosen the condition, or look at what the snapshot has with `bagmill snapshot query`",
        )
    if splits is not None:
        chosen = _with_splits(chosen, step)
    earlier = _curation_in(table, base_id, dataset)
    snapshot_id, path, is_reused = put_table(
        dataset, chosen, curation=write_curation(Curation((*(earlier.steps if earlier else ()), step)))
    )
    if name is not None:
        point(dataset, name, snapshot_id=snapshot_id)
    return CuratedSnapshot(
        id=snapshot_id,
        path=path,
        base_id=base_id,
        num_episodes=len(chosen),
        num_left_out=len(table) - len(chosen),
        num_by_split=_count_splits(chosen, step.splits),
        is_reused=is_reused,
    )


@checked_arguments(StorageError)
@tells_of_disk
def load_curation(dataset: Dataset, snapshot: str = LATEST) -> Curation | None:
    """How a snapshot was chosen; None where it has all episodes that there were.

    Args:
        dataset: Whose snapshot.
        snapshot: Its name or id.

    Raises:
        StorageError: There is no such snapshot, or it is damaged.
    """
    snapshot_id = resolve_id(dataset, snapshot)
    return _curation_in(read_table(dataset, snapshot_id), snapshot_id, dataset)


def _curation_in(table: pa.Table, snapshot_id: str, dataset: Dataset) -> Curation | None:
    data = curation_of(table)
    if data is None:
        return None
    try:
        return read_curation(data)
    except ValueError as err:
        raise StorageError(
            f"the recipe of snapshot {snapshot_id} cannot be read: {err}",
            path=dataset.path,
            remedy="Read it with the version of bagmill that made it; its rows are whole",
        ) from err


def _check_free(name: str) -> None:
    check_name(name)
    if name == LATEST:
        raise StorageError(
            f"a curated snapshot cannot be called {LATEST!r}, which has all episodes", remedy="Choose another name"
        )


def _choose(table: pa.Table, step: CurationStep) -> NDArray[np.bool_]:
    """Which rows are meant, (N,)."""
    episodes: list[str] = table["episode"].to_pylist()
    for names in (step.include, step.exclude):
        _check_known(names, episodes, step.base_id)
    meant = find_rows(table.to_pandas(), step.where) if step.where is not None else np.bool_(not step.include)
    return (meant | _is_among(episodes, step.include)) & ~_is_among(episodes, step.exclude)


def _is_among(episodes: list[str], names: tuple[str, ...]) -> NDArray[np.bool_]:
    wanted = frozenset(names)
    return np.fromiter((episode in wanted for episode in episodes), np.bool_, len(episodes))


def _check_known(names: tuple[str, ...], episodes: list[str], base_id: str) -> None:
    unknown = sorted({*names} - {*episodes})
    if not unknown:
        return
    told = ", ".join(unknown[:_MOST_NAMES_TOLD])
    num_more = len(unknown) - _MOST_NAMES_TOLD
    near = difflib.get_close_matches(unknown[0], episodes, n=1)
    raise QueryError(
        f"snapshot {base_id} has no episode called {told}" + (f", and {num_more:,} more" if num_more > 0 else ""),
        remedy=f"Did you mean {near[0]}" if near else "See what it has with `bagmill snapshot query`",
    )


def _with_splits(table: pa.Table, step: CurationStep) -> pa.Table:
    keys = _keys(table, step.by)
    splits = pa.array(assign_splits(keys, step.splits, salt=step.salt), pa.string())
    kept = table.drop_columns([SPLIT]) if SPLIT in table.column_names else table
    return kept.append_column(SPLIT, splits)


def _keys(table: pa.Table, by: str) -> list[Any]:
    if by not in table.column_names:
        near = difflib.get_close_matches(by, table.column_names, n=1)
        raise QueryError(
            f"the splits are to be by {by}, which is no column",
            remedy=f"Did you mean {near[0]}? There are {', '.join(table.column_names)}"
            if near
            else f"There are {', '.join(table.column_names)}",
        )
    kind = table.schema.field(by).type
    if not (pa.types.is_string(kind) or pa.types.is_integer(kind)):
        raise QueryError(
            f"the splits are to be by {by}, whose values are neither text nor whole numbers",
            remedy="Split by episode, robot, task, profile or recording_hash",
        )
    return ["" if key is None else key for key in table[by].to_pylist()]


def _count_splits(table: pa.Table, fractions: Mapping[str, float]) -> dict[str, int]:
    if SPLIT not in table.column_names:
        return {}
    found = Counter(table[SPLIT].to_pylist())
    return {split: found[split] for split in fractions or sorted(found)}
