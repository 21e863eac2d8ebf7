"""All snapshots of a dataset, as a person looks for one among them."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow.compute as pc

from bagmill.dataset.folder import Dataset
from bagmill.dataset.kept_snapshots import list_snapshots
from bagmill.dataset.snapshot_file import curation_of, read_column
from bagmill.dataset.snapshot_names import list_snapshot_names, resolve_name
from bagmill.disk import tells_of_disk


@dataclass(frozen=True, slots=True)
class SnapshotFacts:
    """What one sees of a snapshot before opening it."""

    id: str
    names: tuple[str, ...]
    """All that are given to it, sorted."""
    num_episodes: int
    duration_s: float
    """Of its episodes together."""
    size_bytes: int
    """Of its table."""
    made_ns: int
    """When it was written, ns since the Unix epoch."""
    is_curated: bool
    """It was chosen from another snapshot."""


@tells_of_disk
def describe_snapshots(dataset: Dataset) -> list[SnapshotFacts]:
    """Every snapshot, the oldest first.

    Raises:
        StorageError: A name or a snapshot cannot be read.
    """
    names: dict[str, list[str]] = {}
    for name in list_snapshot_names(dataset):
        names.setdefault(resolve_name(dataset, name), []).append(name)
    found = []
    for file in list_snapshots(dataset):
        durations = read_column(dataset, file.id, "duration_s")
        found.append(
            SnapshotFacts(
                id=file.id,
                names=tuple(names.get(file.id, ())),
                num_episodes=len(durations),
                duration_s=float(pc.sum(durations["duration_s"]).as_py() or 0.0),
                size_bytes=file.size_bytes,
                made_ns=file.made_ns,
                is_curated=curation_of(durations) is not None,
            )
        )
    return found
