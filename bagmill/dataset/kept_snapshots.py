"""Which snapshots are kept, and which versions they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bagmill.dataset.folder import Dataset
from bagmill.dataset.nights import list_night_dates, load_night
from bagmill.dataset.snapshot import load_rows
from bagmill.dataset.snapshot_names import is_snapshot_id, list_snapshot_names, resolve_name


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A snapshot's table."""

    id: str
    path: Path
    size_bytes: int
    made_ns: int
    """When it was written, ns since the Unix epoch."""


def list_snapshots(dataset: Dataset) -> list[SnapshotFile]:
    """Every snapshot, the oldest first."""
    found = [
        SnapshotFile(path.stem, path, status.st_size, status.st_mtime_ns)
        for path in dataset.snapshots_dir.glob("*.parquet")
        if is_snapshot_id(path.stem)
        for status in [path.stat()]
    ]
    return sorted(found, key=lambda each: (each.made_ns, each.id))


def split_kept(dataset: Dataset, keep_snapshots: int | None) -> tuple[list[SnapshotFile], list[SnapshotFile]]:
    """Tell the snapshots that are kept from those that are not, each oldest first.

    Args:
        dataset: Whose snapshots.
        keep_snapshots: How many of the newest are kept beside those that have a name and that of the last night, by
            which the next one tells what is new. None: all are kept.

    Raises:
        StorageError: A name or the last night's figures cannot be read.
    """
    snapshots = list_snapshots(dataset)
    if keep_snapshots is None:
        return snapshots, []
    held = {resolve_name(dataset, name) for name in list_snapshot_names(dataset)}
    held |= {load_night(dataset, date).snapshot_id or "" for date in list_night_dates(dataset)[-1:]}
    held |= {each.id for each in snapshots[max(0, len(snapshots) - keep_snapshots) :]}
    return [each for each in snapshots if each.id in held], [each for each in snapshots if each.id not in held]


def named_versions(dataset: Dataset, snapshots: Iterable[SnapshotFile]) -> frozenset[tuple[str, str]]:
    """(episode, version) of every row of some snapshots.

    Raises:
        StorageError: A snapshot is damaged.
    """
    return frozenset(row for each in snapshots for row in load_rows(dataset, each.id))
