"""The partitions: one an episode, added when its recording is found."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import dagster as dg

from resources.recordings import RecordingsFolder

_NAME: Final = "episodes"
EPISODES: Final = dg.DynamicPartitionsDefinition(name=_NAME)


def find_new(
    instance: dg.DagsterInstance, recordings: RecordingsFolder, *, settled_before_s: float | None = None
) -> list[str]:
    """Episodes of recordings that have no partition yet.

    Args:
        instance: Knows the partitions.
        recordings: Knows the recordings.
        settled_before_s: Leave out what was written to since, in seconds since the Unix epoch: it may not be finished.

    Raises:
        RecordingError: The recordings folder cannot be listed.
    """
    known = set(instance.get_dynamic_partitions(_NAME))
    return [
        episode
        for episode, recording in recordings.by_episode().items()
        if episode not in known and (settled_before_s is None or _written_s(recording) < settled_before_s)
    ]


def register_new(instance: dg.DagsterInstance, recordings: RecordingsFolder) -> list[str]:
    """Add a partition for every recording that has none, and say which; none is ever taken away.

    Raises:
        RecordingError: The recordings folder cannot be listed.
    """
    new = find_new(instance, recordings)
    if new:
        instance.add_dynamic_partitions(_NAME, new)
    return new


def _written_s(recording: Path) -> float:
    files = recording.rglob("*") if recording.is_dir() else [recording]
    return max((file.stat().st_mtime for file in files), default=0.0)
