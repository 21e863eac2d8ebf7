"""The command line: `python -m benchmarks.databases --postgres-url URL --json FILE`."""

from __future__ import annotations

import argparse
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import dagster as dg

from bagmill.quality import METRICS, STAGES
from benchmarks.databases.events import EpisodeEvents
from benchmarks.databases.stores import OURS, STORES, make_place, open_log, remove, size_bytes
from benchmarks.databases.writers import Written, write_at_once
from benchmarks.folders import add_folder_option, fresh_folder, working_folder
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.table import Column, Record, Table

_LATENCY: Final = (
    Column("store", "event log"),
    Column("num_writers", "runs at once"),
    Column("median_ms", "median, ms", ".1f"),
    Column("p99_ms", "99th percentile, ms", ".0f"),
    Column("worst_ms", "worst, ms", ".0f"),
    Column("num_refused", "not taken"),
    Column("per_second", "episodes/s", ".1f"),
)
_SIZE: Final = (
    Column("store", "event log"),
    Column("num_episodes", "episodes", ",.0f"),
    Column("mb_per_1000", "MB per 1,000 episodes", ".1f"),
    Column("partitions_ms", "which partitions are made, ms", ".1f"),
    Column("checks_ms", "latest of every check, ms", ".1f"),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = make_parser("databases", "What Dagster's event log costs in SQLite and in PostgreSQL.")
    add_folder_option(parser)
    parser.add_argument(
        "--postgres-url", required=True, help="a database of a server, as a role that may create others: postgresql://…"
    )
    parser.add_argument("--episodes", type=int, metavar="N", help="of each writer (default: 100; quick: 10)")
    parser.add_argument("--writers", type=int, nargs="+", metavar="N", help="runs at once (default: 1 4 8; quick: 1 4)")
    options = parser.parse_args(arguments)
    options.writers = options.writers or ([1, 4] if options.quick else [1, 4, 8])
    num_episodes = options.episodes or (10 if options.quick else 100)
    with working_folder(options.folder, needed_bytes=4_000_000_000) as (folder, medium):
        with fresh_folder(folder) as one:
            events = EpisodeEvents.of_a_run(one)
        with fresh_folder(folder) as part:
            file = part / "events.json"
            file.write_text(events.to_json(), encoding="utf-8")
            latency, samples = _measure_latency(file, part, options=options, num_episodes=num_episodes)
            size = _measure_size(file, part, options=options, num_episodes=10 * num_episodes)
    settings = {"files": medium, "events_per_episode": len(events.materialisations) + len(events.evaluations)}
    publish("databases", [latency, size], options=options, settings=settings, samples=samples)
    return 0


def _measure_latency(
    events: Path, folder: Path, *, options: argparse.Namespace, num_episodes: int
) -> tuple[Table, dict[str, Any]]:
    """Stores in turn, round after round, so that what else the machine does falls on all of them."""
    plans = [(store, writers) for writers in options.writers for store in (STORES if writers == 1 else OURS)]
    samples: dict[tuple[str, int], list[Written]] = {plan: [] for plan in plans}
    for _ in range(num_rounds(options)):
        for store, writers in plans:
            count = num_episodes if store in OURS else max(1, num_episodes // 10)
            place = make_place(store, folder=folder, server_url=options.postgres_url)
            written = write_at_once(store, place, events=events, num_writers=writers, num_episodes=count)
            samples[store, writers].append(written)
            remove(store, place, server_url=options.postgres_url)
    notes = [
        "From handing over an episode's events to their being stored: materialisations, the question for their numbers, "
        "checks. Runs: each a process with an event log of its own, all writing at once, as fast as they can.",
        "Median over all episodes of all rounds. Dagster's own classes are given a tenth of the episodes.",
    ]
    rows = [_latency_row(store, writers, samples[store, writers]) for store, writers in plans]
    kept = {f"{store}, {writers}": [each.latencies_ms for each in samples[store, writers]] for store, writers in plans}
    return Table("An episode's events", _LATENCY, rows, notes), kept


def _latency_row(store: str, num_writers: int, rounds: Sequence[Written]) -> Record:
    latencies = sorted(each for written in rounds for each in written.latencies_ms)
    return {
        "store": store,
        "num_writers": num_writers,
        "median_ms": statistics.median(latencies),
        "p99_ms": latencies[min(len(latencies) - 1, int(0.99 * len(latencies)))],
        "worst_ms": latencies[-1],
        "num_refused": sum(written.num_refused for written in rounds),
        "per_second": statistics.median(len(written.latencies_ms) / written.seconds for written in rounds),
    }


def _measure_size(events: Path, folder: Path, *, options: argparse.Namespace, num_episodes: int) -> Table:
    rows: list[Record] = []
    for store in OURS:
        place = make_place(store, folder=folder, server_url=options.postgres_url)
        empty = size_bytes(store, place)
        write_at_once(store, place, events=events, num_writers=1, num_episodes=num_episodes)
        size = size_bytes(store, place) - empty
        row: dict[str, str | float] = {
            "store": store,
            "num_episodes": num_episodes,
            "mb_per_1000": size / num_episodes / 1e3,
        }
        rows.append(row | _ask(store, place))
        remove(store, place, server_url=options.postgres_url)
    notes = [
        "Size: of the event log with its indexes. Questions: for all assets and all checks, as the web UI asks them."
    ]
    return Table("Size, and what the web UI asks", _SIZE, rows, notes)


def _ask(store: str, place: str) -> dict[str, str | float]:
    log = open_log(store, place)
    checks = [dg.AssetCheckKey(dg.AssetKey(METRICS[name].stage), name) for name in METRICS]
    took: dict[str, str | float] = {
        "partitions_ms": _median_ms(lambda: [log.get_materialized_partitions(dg.AssetKey(stage)) for stage in STAGES]),
        "checks_ms": _median_ms(lambda: log.get_latest_asset_check_execution_by_key(checks)),
    }
    log.dispose()
    return took


def _median_ms(ask: Callable[[], object]) -> float:
    samples = []
    for _ in range(7):
        started = time.perf_counter()
        ask()
        samples.append(1e3 * (time.perf_counter() - started))
    return statistics.median(samples)


if __name__ == "__main__":
    sys.exit(main())
