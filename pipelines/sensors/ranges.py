"""Episodes as runs over ranges of partitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

import dagster as dg
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import (
    ASSET_PARTITION_RANGE_END_TAG,
    ASSET_PARTITION_RANGE_START_TAG,
    PARTITION_NAME_TAG,
)

from assets.batch import MAX_EPISODES_PER_RUN


def ranges(known: Iterable[str], wanted: Iterable[str]) -> Iterator[list[str]]:
    """Wanted partitions as runs, each over a range of what is known, in its order."""
    wanted, run = set(wanted), list[str]()
    for episode in known:
        if episode not in wanted or len(run) == MAX_EPISODES_PER_RUN:
            if run:
                yield run
            run = []
        if episode in wanted:
            run.append(episode)
    if run:
        yield run


def range_tags(episodes: Sequence[str]) -> dict[str, str]:
    """The tags by which a run is over a range of partitions."""
    return {ASSET_PARTITION_RANGE_START_TAG: episodes[0], ASSET_PARTITION_RANGE_END_TAG: episodes[-1]}


def under_way(instance: dg.DagsterInstance, known: Sequence[str]) -> set[str]:
    """The episodes of runs that have not ended: queued, starting or running.

    Args:
        instance: Knows the runs.
        known: All partitions, in their order.
    """
    positions = {episode: position for position, episode in enumerate(known)}
    found: set[str] = set()
    for run in instance.get_runs(dg.RunsFilter(statuses=NOT_FINISHED_STATUSES)):
        alone = run.tags.get(PARTITION_NAME_TAG, "")
        first = positions.get(run.tags.get(ASSET_PARTITION_RANGE_START_TAG, alone))
        last = positions.get(run.tags.get(ASSET_PARTITION_RANGE_END_TAG, alone))
        if first is not None and last is not None:
            found.update(known[first : last + 1])
    return found
