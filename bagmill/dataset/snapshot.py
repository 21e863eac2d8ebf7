"""Snapshots: immutable tables of episode versions, one row an episode; what a training run names."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bagmill.arguments import checked_arguments
from bagmill.dataset.current import current_of, of_its_own, published_summaries
from bagmill.dataset.folder import Dataset
from bagmill.dataset.leftovers import sweep_tables
from bagmill.dataset.prune_lock import no_prune_meanwhile
from bagmill.dataset.report_summary import ReportSummary
from bagmill.dataset.snapshot_file import SPLIT, put_table, read_table, rows_of
from bagmill.dataset.snapshot_names import LATEST, check_name, point, resolve_id
from bagmill.dataset.snapshot_table import snapshot_table
from bagmill.disk import tells_of_disk
from bagmill.errors import QueryError, StorageError

if TYPE_CHECKING:
    import pandas as pd  # pyarrow imports it when a table is asked for: no worker needs it, and it takes 0.4 s

_FEW_VALUES: Final = ("features", "profile", "robot", "task")


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A snapshot that stands, and what it left out."""

    id: str
    """Hash of its (episode, version) rows: the same episodes, the same id."""
    path: Path
    num_episodes: int
    num_quarantined: int
    """Episodes in quarantine, all of them left out."""
    num_blocked: int
    """Episodes left out because every published version failed a blocking check."""
    num_unpublished: int
    """Episodes left out because no version is published with its report."""
    num_duplicates: int
    """Episodes left out because their recording counts as another episode, which has been made from it, too."""
    is_reused: bool
    """It stood already."""
    damaged: tuple[str, ...] = ()
    """Sentences: the damaged reports whose episodes are left out, for which of their versions is current is not known."""


@checked_arguments(StorageError)
@tells_of_disk
@no_prune_meanwhile
def make_snapshot(dataset: Dataset, *, name: str | None = None) -> Snapshot:
    """Write down which version of every episode is the current one, and point `latest` at it.

    An episode's current version is the one last asked for, of those that are published and failed no blocking check. A
    recording counts once, as the episode that `known_recordings` has for it. A damaged report leaves out its own episode and
    no other.

    Args:
        dataset: Whose reports are read.
        name: A name to give it besides; given once, never moved.

    Raises:
        StorageError: No episode can be in it, the name is taken, or the disk does not take it.
    """
    if name is not None:
        check_name(name)
    sweep_tables(dataset)
    quarantined = set(dataset.quarantined())
    rows: list[ReportSummary] = []
    num_blocked = num_unpublished = num_duplicates = 0
    damaged: list[str] = []
    for episode in dataset.episodes():
        if episode in quarantined:
            continue
        try:
            summaries = published_summaries(dataset, episode)
        except StorageError as err:
            damaged.append(str(err))
            continue
        current = current_of(own := of_its_own(dataset, summaries))
        if current is not None:
            rows.append(current)
        elif summaries and not own:
            num_duplicates += 1
        elif summaries:
            num_blocked += 1
        else:
            num_unpublished += 1
    if not rows:
        raise StorageError(
            f"no episode for a snapshot: {len(quarantined)} in quarantine, {num_blocked} blocked by a check, "
            f"{num_unpublished} not published, {len(damaged)} with a damaged report",
            path=dataset.path,
            remedy="Ingest recordings first, and see the quarantine for those that were refused",
        )
    snapshot_id, path, is_reused = put_table(dataset, snapshot_table(dataset, rows))
    for given in (name, LATEST):
        if given is not None:
            point(dataset, given, snapshot_id=snapshot_id)
    return Snapshot(
        id=snapshot_id,
        path=path,
        num_episodes=len(rows),
        num_quarantined=len(quarantined),
        num_blocked=num_blocked,
        num_unpublished=num_unpublished,
        num_duplicates=num_duplicates,
        is_reused=is_reused,
        damaged=tuple(damaged),
    )


@checked_arguments(StorageError)
@tells_of_disk
def load_snapshot(dataset: Dataset, name_or_id: str = LATEST, *, split: str | None = None) -> pd.DataFrame:
    """A snapshot as a table, one row an episode, sorted by episode.

    Texts that thousands of episodes share (`features`, which is JSON, `task`, `robot` and `profile`) are categories: each
    is kept, compared and searched once.

    Args:
        dataset: Whose snapshot.
        name_or_id: Which.
        split: Only the episodes of this split; None: all.

    Raises:
        StorageError: There is no such snapshot, or its file is damaged or not what its id says.
        QueryError: It has no such split.
    """
    snapshot_id = resolve_id(dataset, name_or_id)
    table = read_table(dataset, snapshot_id).to_pandas(categories=list(_FEW_VALUES))
    return table if split is None else rows_of_split(table, split, snapshot_id=snapshot_id)


def rows_of_split(table: pd.DataFrame, split: str, *, snapshot_id: str) -> pd.DataFrame:
    """The rows of one split, with an index of their own from 0.

    Raises:
        QueryError: The snapshot has no such split.
    """
    known = sorted(set(table[SPLIT])) if SPLIT in table else []
    if split not in known:
        raise QueryError(
            f"snapshot {snapshot_id} has no split {split}",
            remedy=f"It has {', '.join(known)}" if known else "Give it splits with `bagmill snapshot make --split`",
        )
    return table[table[SPLIT] == split].reset_index(drop=True)


def load_rows(dataset: Dataset, snapshot_id: str) -> list[tuple[str, str]]:
    """(episode, version) of every row of a snapshot, sorted by episode.

    Raises:
        StorageError: As `load_snapshot`.
    """
    return rows_of(read_table(dataset, snapshot_id))
