"""Snapshots: immutable tables of episode versions, one row an episode; what a training run names."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from bagmill.dataset.current import current_of, of_its_own, published_summaries
from bagmill.dataset.folder import Dataset
from bagmill.dataset.report_summary import ReportSummary
from bagmill.dataset.snapshot_names import ID_LENGTH, LATEST, check_name, is_snapshot_id, point, resolve_name
from bagmill.dataset.snapshot_table import snapshot_table
from bagmill.dataset.whole_file import write_whole
from bagmill.errors import StorageError

if TYPE_CHECKING:
    import pandas as pd  # pyarrow imports it when a table is asked for: no worker needs it, and it takes 0.4 s

_REMEDY = "Delete it and make the snapshot again"


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


def make_snapshot(dataset: Dataset, *, name: str | None = None) -> Snapshot:
    """Write down which version of every episode is the current one, and point `latest` at it.

    An episode's current version is the one last asked for, of those that are published and failed no blocking check. A
    recording counts once, as the episode that `known_recordings` has for it.

    Args:
        dataset: Whose reports are read.
        name: A name to give it besides; given once, never moved.

    Raises:
        StorageError: No episode can be in it, a report is damaged, the name is taken, or the disk does not
            take it.
    """
    if name is not None:
        check_name(name)
    quarantined = set(dataset.quarantined())
    rows: list[ReportSummary] = []
    num_blocked = num_unpublished = num_duplicates = 0
    for episode in dataset.episodes():
        if episode in quarantined:
            continue
        summaries = published_summaries(dataset, episode)
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
            f"{num_unpublished} not published",
            path=dataset.path,
            remedy="Ingest recordings first, and see the quarantine for those that were refused",
        )
    snapshot_id = _rows_id([(row.episode, row.version) for row in rows])
    path = dataset.snapshots_dir / f"{snapshot_id}.parquet"
    is_reused = path.exists()
    if is_reused:
        _check_rows(path, snapshot_id)
    else:
        write_whole(path, _parquet(snapshot_table(dataset, rows), snapshot_id))
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
    )


def load_snapshot(dataset: Dataset, name_or_id: str = LATEST) -> pd.DataFrame:
    """A snapshot as a table, one row an episode, sorted by episode.

    Raises:
        StorageError: There is no such snapshot, or its file is damaged or not what its id says.
    """
    snapshot_id = name_or_id if is_snapshot_id(name_or_id) else resolve_name(dataset, name_or_id)
    path = dataset.snapshots_dir / f"{snapshot_id}.parquet"
    return _check_rows(path, snapshot_id).to_pandas()


def load_rows(dataset: Dataset, snapshot_id: str) -> list[tuple[str, str]]:
    """(episode, version) of every row of a snapshot, sorted by episode.

    Raises:
        StorageError: As `load_snapshot`.
    """
    return _rows(_check_rows(dataset.snapshots_dir / f"{snapshot_id}.parquet", snapshot_id))


def _rows(table: pa.Table) -> list[tuple[str, str]]:
    return list(zip(table["episode"].to_pylist(), table["version"].to_pylist(), strict=True))


def _rows_id(rows: list[tuple[str, str]]) -> str:
    # JSON, so that no name can run into the next.
    return hashlib.sha256(json.dumps(sorted(rows)).encode("ascii")).hexdigest()[:ID_LENGTH]


def _parquet(table: pa.Table, snapshot_id: str) -> bytes:
    sink = pa.BufferOutputStream()
    pq.write_table(table.replace_schema_metadata({"bagmill_snapshot": snapshot_id}), sink, compression="zstd")
    return bytes(sink.getvalue())


def _check_rows(path: Path, snapshot_id: str) -> pa.Table:
    try:
        # Not read_table, which would take a `key=value` folder above for a column.
        with pq.ParquetFile(path) as file:
            table = file.read()
        found = _rows_id(_rows(table))
    except FileNotFoundError as err:
        raise StorageError(f"no snapshot has the id {snapshot_id}", path=path, remedy="Make it first") from err
    except (OSError, KeyError, TypeError, pa.ArrowException) as err:
        raise StorageError(f"is no snapshot ({' '.join(str(err).split())})", path=path, remedy=_REMEDY) from err
    if found != snapshot_id:
        raise StorageError("its rows are not those that its id was taken over", path=path, remedy=_REMEDY)
    return table
