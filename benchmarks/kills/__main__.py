"""The command line: `python -m benchmarks.kills --kills 500 --json FILE`."""

from __future__ import annotations

import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Sequence
from multiprocessing.context import ForkServerContext
from random import Random
from typing import Final

from bagmill.dataset import Dataset, apply_prune, load_snapshot, make_snapshot, plan_prune
from bagmill.episodes import verify_episode
from benchmarks.folders import add_folder_option, working_folder
from benchmarks.kills.reader import read_on
from benchmarks.kills.work import EPISODES, WORK, Place, ingest_one
from benchmarks.program import make_parser, publish
from benchmarks.table import Column, Table

_COLUMNS: Final = (
    Column("work", "killed while it runs"),
    Column("num_kills", "kills", ",.0f"),
    Column("num_in_time", "before it had ended", ",.0f"),
    Column("num_lost", "lost or half made", ",.0f"),
)
_PRELOADED: Final = (
    "benchmarks.kills.work",
    "benchmarks.kills.reader",
    "bagmill.previews",
    "matplotlib.figure",
    "zarr",
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it.

    Returns:
        The exit code: 1 where anything was lost or seen half made.
    """
    parser = make_parser("kills", "Processes killed at random moments while another one reads.")
    add_folder_option(parser)
    parser.add_argument("--kills", type=int, metavar="N", help="how many (default: 500; quick: 12)")
    parser.add_argument("--seed", type=int, default=0, help="says what is killed, and after which share of its time")
    options = parser.parse_args(arguments)
    num_kills = options.kills or (12 if options.quick else 500)
    with working_folder(options.folder, needed_bytes=500_000_000) as (folder, medium):
        rows, problems, num_reads = _kill(
            Place(folder / "recordings", folder / "dataset"),
            num_kills,
            Random(options.seed),  # noqa: S311 - nothing secret
        )
    for problem in problems:
        print(problem, file=sys.stderr)
    table = Table(
        "Kills",
        _COLUMNS,
        rows,
        notes=[f"A reader beside them read all of `latest` {num_reads:,} times and met {len(problems)} problems."],
    )
    settings = {"files": medium, "num_kills": num_kills, "seed": options.seed, "num_reads": num_reads}
    publish("kills", [table], options=options, settings=settings, samples={"problems": problems})
    return bool(problems)


def _kill(place: Place, num_kills: int, rng: Random) -> tuple[list[dict[str, str | int]], list[str], int]:
    """Kill, and look what is left.

    Returns:
        A row for each kind of work, everything that was wrong, and how often the reader read.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(_PRELOADED))
    maker = context.Process(target=place.make)
    maker.start()
    maker.join()
    dataset = Dataset(place.dataset)
    stop, told = context.Event(), place.dataset.with_name("told.json")
    reader = context.Process(target=read_on, args=(place.dataset, stop, told), daemon=True)
    reader.start()
    kills, in_time, lost = Counter[str](), Counter[str](), Counter[str]()
    problems: list[str] = []
    longest_s = {name: _run_to_its_end(context, name, place) for name in WORK}
    for number in range(num_kills):
        name = list(WORK)[number % len(WORK)]
        process = context.Process(target=WORK[name], args=(place, number))
        process.start()
        started = time.monotonic()
        process.join(rng.random() * longest_s[name])
        if process.exitcode is None:
            process.kill()
            in_time[name] += 1
        else:
            # The next kills of its kind are spread over the time that it takes.
            longest_s[name] = 0.8 * longest_s[name] + 0.2 * (time.monotonic() - started)
        process.join()
        kills[name] += 1
        found = _problems(dataset)
        lost[name] += bool(found)
        problems += [f"kill {number}, {name}: {problem}" for problem in found]
    stop.set()
    reader.join()
    said = json.loads(told.read_text(encoding="utf-8"))
    problems += [f"the reader: {problem}" for problem in said["problems"]]
    problems += _after_a_normal_run(place)
    rows: list[dict[str, str | int]] = [
        {"work": name, "num_kills": kills[name], "num_in_time": in_time[name], "num_lost": lost[name]} for name in WORK
    ]
    return rows, problems, int(said["num_reads"])


def _run_to_its_end(context: ForkServerContext, name: str, place: Place) -> float:
    """Seconds that a kind of work takes."""
    process = context.Process(target=WORK[name], args=(place, len(EPISODES) * len(WORK)))
    started = time.monotonic()
    process.start()
    process.join()
    return time.monotonic() - started


def _problems(dataset: Dataset) -> list[str]:
    """What is not whole: everything that is published is read back, and `latest` must name what is there."""
    problems: list[str] = []
    for episode in dataset.episodes():
        for version in dataset.published(episode):
            report = verify_episode(dataset.episode_path(episode, version))
            problems += [f"{episode} {version}: {damage}" for damage in report.damages]
    table = load_snapshot(dataset)
    problems += [
        f"latest names {path}, which is not there" for path in table["path"] if not (dataset.path / path).is_dir()
    ]
    if set(table["episode"]) != set(EPISODES):
        problems.append(f"latest has {sorted(table['episode'])}")
    return problems


def _after_a_normal_run(place: Place) -> list[str]:
    """What a run without a kill leaves that it should not."""
    dataset = Dataset(place.dataset)
    for episode in EPISODES:
        ingest_one(place, episode)
    make_snapshot(dataset)
    apply_prune(dataset, plan_prune(dataset, keep_snapshots=0))
    left = [path for path in place.dataset.rglob("*") if path.name.startswith(".") and path.name != ".pruned"]
    return [*_problems(dataset), *(f"left over: {path.relative_to(place.dataset)}" for path in left)]


if __name__ == "__main__":
    sys.exit(main())
