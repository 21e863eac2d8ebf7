"""Cost against number: tiny episodes through Dagster, and what of it is Dagster's; then what a second time costs."""

from __future__ import annotations

from pathlib import Path

from bagmill.quality import METRICS
from benchmarks.child import run_child
from benchmarks.scale.deployment import TinyDeployment
from benchmarks.table import Column, Record, Table

_COLUMNS = (
    Column("what", "what"),
    Column("num_episodes", "episodes", ",.0f"),
    Column("seconds", "through Dagster, s", ".2f"),
    Column("library_seconds", "library alone, s", ".2f"),
    Column("ms_per_episode", "ms/episode", ".1f"),
    Column("dagster_ms_per_episode", "Dagster's own ms/episode", ".1f"),
    Column("times_faster", "× as fast as the first time", ".1f"),
    Column("library_times_faster", "library alone, ×", ".1f"),
)


def measure_count(folder: Path, *, counts: tuple[int, ...]) -> tuple[Table, dict[str, object]]:
    """The table, and its rows as samples.

    Args:
        folder: Where everything lies; empty.
        counts: Episodes of each group; the groups follow one another in one instance of Dagster.

    Raises:
        RuntimeError: A run failed, or what was made is not what should have been.
    """
    deployment = TinyDeployment(folder)
    rows: list[Record] = []
    for count in counts:
        episodes = deployment.add(f"n{count:04d}", count)
        alone = _library(deployment, folder, episodes)
        rows.append(_row("first time", count, deployment.backfill(episodes), alone))
        if not set(episodes) <= deployment.materialised():
            raise RuntimeError(f"Dagster does not know all of {count} episodes")
    first = rows[-1]
    alone = _library(deployment, folder, episodes, num_expected=count)
    rows.append(_row("again", count, deployment.backfill(episodes), alone, first=first))
    changed = episodes[count // 2]
    deployment.change(changed)
    alone = _library(deployment, folder, episodes, num_expected=count - 1)
    rows.append(_row("again, one recording changed", count, deployment.backfill(episodes), alone, first=first))
    wrong = [each for each in episodes if deployment.versions(each) != (2 if each == changed else 1)]
    if wrong:
        raise RuntimeError(f"made again without need, or not made: {', '.join(wrong[:5])}")
    notes = [
        f"Episodes: half a second of two cameras, depth and joints at 64×48; {len(list(METRICS))} checks each.",
        "Through Dagster: the job `ingest` over ranges of 100 partitions, each run a process of its own, as a backfill "
        "launches it; one instance (SQLite) for all rows. Library alone: one call of the same workers on the same "
        "recordings, into a dataset of its own. Dagster's own: the difference.",
        "One sample of each: a row is a minute's work or more.",
    ]
    return Table("Cost against number", _COLUMNS, rows, notes), {"count": [dict(row) for row in rows]}


def _library(deployment: TinyDeployment, folder: Path, episodes: list[str], *, num_expected: int = 0) -> float:
    arguments = {
        "recordings": str(deployment.recordings),
        "dataset": str(folder / "alone"),
        "profile": str(folder / "profile.yaml"),
        "episodes": episodes,
    }
    measured = run_child("benchmarks.scale.library:prepare", arguments)
    if measured.result["num_reused"] != num_expected:
        raise RuntimeError(f"{measured.result['num_reused']} episodes were taken as they stood, not {num_expected}")
    return measured.seconds


def _row(what: str, count: int, seconds: float, alone: float, *, first: Record | None = None) -> Record:
    return {
        "what": what,
        "num_episodes": count,
        "seconds": seconds,
        "library_seconds": alone,
        "ms_per_episode": 1e3 * seconds / count,
        "dagster_ms_per_episode": 1e3 * (seconds - alone) / count,
        "times_faster": None if first is None else float(str(first["seconds"])) / seconds,
        "library_times_faster": None if first is None else float(str(first["library_seconds"])) / alone,
    }
