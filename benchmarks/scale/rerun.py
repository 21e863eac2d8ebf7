"""What a second time costs: nothing changed, and one recording changed; by every way there is to ask for it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assets.batch import MAX_EPISODES_PER_RUN
from benchmarks.scale.deployment import ManyEpisodes
from benchmarks.table import Column, Record, Table

_COLUMNS = (
    Column("kind", "episodes"),
    Column("num_episodes", "number", ",.0f"),
    Column("what", "what"),
    Column("seconds", "backfill's runs, s", ".2f"),
    Column("times", "× as fast", ",.1f"),
    Column("look_seconds", "sensor, and what it starts, s", ".2f"),
    Column("look_times", "× as fast", ",.0f"),
    Column("library_seconds", "library alone, s", ".3f"),
    Column("library_times", "× as fast", ",.0f"),
)


@dataclass(frozen=True, slots=True)
class Costs:
    """What a group of episodes cost the first time."""

    many: ManyEpisodes
    episodes: list[str]
    seconds: float
    """Through Dagster."""
    library_seconds: float

    @classmethod
    def of_first(cls, many: ManyEpisodes, group: str, count: int) -> Costs:
        """Add a group, and ingest it by the library alone and through Dagster.

        Raises:
            RuntimeError: A run failed, or Dagster does not know what was made.
        """
        episodes = many.add(group, count)
        alone = many.library(episodes)
        seconds = many.backfill(episodes)
        if not set(episodes) <= many.materialised():
            raise RuntimeError(f"Dagster does not know all of {count} episodes")
        return cls(many, episodes, seconds, alone)


def measure_reruns(firsts: Sequence[Costs]) -> Table:
    """The table.

    Args:
        firsts: Groups that were just ingested for the first time.

    Raises:
        RuntimeError: A run failed, or something was made again without need, or not made.
    """
    notes = [
        f"Backfill's runs: the job over all partitions, {MAX_EPISODES_PER_RUN} a run; a finished episode is told of again "
        "with all its materialisations and checks, because a backfill counts what its own runs told. Sensor: two ticks of "
        "`arrivals` in a code server that is up, and the runs they ask for. Library alone: `split_finished`, "
        "and the workers for the rest.",
        "× as fast: as the first time, by the same way; the sensor's against the backfill's runs.",
    ]
    return Table("A second time", _COLUMNS, [row for first in firsts for row in _rows(first)], notes)


def _rows(first: Costs) -> list[Record]:
    many, episodes = first.many, first.episodes
    count = len(episodes)
    rows = [_row(first, "first time", first.seconds, first.library_seconds)]
    alone, looked = many.library(episodes, num_finished=count), many.look(num_unfinished=0)
    rows.append(_row(first, "again", many.backfill(episodes), alone, looked))
    changed = episodes[count // 2]
    many.change(changed, num_more_frames=5)
    alone, looked = many.library(episodes, num_finished=count - 1), many.look(num_unfinished=1)
    many.change(changed, num_more_frames=10)
    rows.append(_row(first, "one recording changed", many.backfill(episodes), alone, looked))
    wrong = [each for each in episodes if many.versions(each) != (3 if each == changed else 1)]
    if wrong:
        raise RuntimeError(f"made again without need, or not made: {', '.join(wrong[:5])}")
    return rows


def _row(first: Costs, what: str, seconds: float, alone: float, looked: float | None = None) -> Record:
    return {
        "kind": first.many.kind.name,
        "num_episodes": len(first.episodes),
        "what": what,
        "seconds": seconds,
        "times": None if looked is None else first.seconds / seconds,
        "look_seconds": looked,
        "look_times": None if looked is None else first.seconds / looked,
        "library_seconds": alone,
        "library_times": None if looked is None else first.library_seconds / alone,
    }
