"""The partitions: one an episode, added when its recording is found."""

from __future__ import annotations

from typing import Final

import dagster as dg

from resources.recordings import LandingPlace

_NAME: Final = "episodes"
EPISODES: Final = dg.DynamicPartitionsDefinition(name=_NAME)


def register_new(instance: dg.DagsterInstance, recordings: LandingPlace) -> list[str]:
    """Add a partition for every recording that has none, and say which; none is ever taken away.

    Raises:
        RecordingError: The landing place cannot be listed.
    """
    known = set(instance.get_dynamic_partitions(_NAME))
    new = [episode for episode in recordings.look() if episode not in known]
    if new:
        instance.add_dynamic_partitions(_NAME, new)
    return new
