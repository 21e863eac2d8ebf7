"""Which snapshots are kept, and which versions they name."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from bagmill.dataset.folder import Dataset
from bagmill.dataset.nights import last_nights
from bagmill.dataset.snapshot import load_rows
from bagmill.dataset.snapshot_file import order_of, snapshot_paths
from bagmill.dataset.snapshot_names import list_snapshot_names, resolve_name


@dataclass(frozen=True, slots=True)
class SnapshotFile:
    """A snapshot's table."""

    id: str
    path: Path
    size_bytes: int
    made_ns: int
    """When it was written, ns since the Unix epoch, as the clock said."""
    order: int = 0
    """Which snapshot of the dataset it was when it was made, from 1; 0 in those from before they said it."""


def list_snapshots(dataset: Dataset) -> list[SnapshotFile]:
    """Every snapshot, the oldest first: by the order in which they were made, not by the clock."""
    found = [
        SnapshotFile(path.stem, path, status.st_size, status.st_mtime_ns, order_of(path))
        for path in snapshot_paths(dataset)
        for status in [path.stat()]
    ]
    return sorted(found, key=lambda each: (each.order, each.made_ns, each.id))


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
    held |= {night.snapshot_id or "" for night in last_nights(dataset)}
    held |= {each.id for each in snapshots[max(0, len(snapshots) - keep_snapshots) :]}
    return [each for each in snapshots if each.id in held], [each for each in snapshots if each.id not in held]


def named_versions(dataset: Dataset, snapshots: Iterable[SnapshotFile]) -> frozenset[tuple[str, str]]:
    """(episode, version) of every row of some snapshots.

    Raises:
        StorageError: A snapshot is damaged.
    """
    return frozenset(row for each in snapshots for row in load_rows(dataset, each.id))
