"""Cost against number: tiny episodes through Dagster, and what of it is Dagster's."""

from __future__ import annotations

from bagmill.quality import METRICS
from benchmarks.scale.deployment import ManyEpisodes
from benchmarks.scale.rerun import Costs
from benchmarks.table import Column, Record, Table

_COLUMNS = (
    Column("num_episodes", "episodes", ",.0f"),
    Column("seconds", "through Dagster, s", ".2f"),
    Column("library_seconds", "library alone, s", ".2f"),
    Column("ms_per_episode", "ms/episode", ".1f"),
    Column("dagster_ms_per_episode", "Dagster's own ms/episode", ".1f"),
)


def measure_count(many: ManyEpisodes, *, counts: tuple[int, ...]) -> tuple[Table, Costs]:
    """The table, and what the last group cost.

    Args:
        many: Where groups of episodes are added, one after the other, in one instance of Dagster.
        counts: Episodes of each group.

    Raises:
        RuntimeError: A run failed, or Dagster does not know what was made.
    """
    groups = [Costs.of_first(many, f"n{count:04d}", count) for count in counts]
    notes = [
        f"Episodes: {many.kind.name}, two cameras, depth and joints; {len(list(METRICS))} checks each.",
        "Through Dagster: the job `ingest` over ranges of partitions, each run a process of its own, as a backfill "
        "launches it; one instance (SQLite) for all rows. Library alone: the same workers on the same recordings, into a "
        "dataset of its own. Dagster's own: the difference.",
        "One sample of each: a row is a minute's work or more.",
    ]
    return Table("Cost against number", _COLUMNS, [_row(group) for group in groups], notes), groups[-1]


def _row(costs: Costs) -> Record:
    count = len(costs.episodes)
    return {
        "num_episodes": count,
        "seconds": costs.seconds,
        "library_seconds": costs.library_seconds,
        "ms_per_episode": 1e3 * costs.seconds / count,
        "dagster_ms_per_episode": 1e3 * (costs.seconds - costs.library_seconds) / count,
    }
