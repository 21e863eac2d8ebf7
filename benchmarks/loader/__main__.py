"""The command line: `python -m benchmarks.loader --json FILE`."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from bagmill.cores import usable_cores
from benchmarks.child import Measured, run_child
from benchmarks.folders import add_folder_option, fresh_folder, working_folder
from benchmarks.loader import bars
from benchmarks.loader.bars import Growth, Opening
from benchmarks.loader.contenders import OURS, has_torch, left_out
from benchmarks.loader.contest import Figure, SceneContest, Settings
from benchmarks.loader.figures import figure_table, growth_table, opening_table
from benchmarks.loader.lerobot_environment import find_lerobot
from benchmarks.loader.many_episodes import NUM_PUBLISHED, write_many
from benchmarks.loader.scenes import SCENES, SMALL_SIZE, Scene
from benchmarks.loader.stores import QUALITY, write_stores
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.table import Table

_FULL_TICKS: Final = tuple(range(150, 300, 15))
_QUICK_TICKS: Final = (40, 50, 60)
_QUICK_SCENE: Final = SCENES[0].name
_POINTS: Final = (1_000, 10_000, 100_000)
"""Numbers of samples at which memory is looked at; quick: a tenth of each."""
_BYTES_A_PIXEL: Final = 12
"""Of all stores together: raw in HDF5, about as much in PNG, JPEG twice, and films."""


@dataclass(slots=True)
class _Results:
    abouts: list[str] = field(default_factory=list)
    arrays: list[Figure] = field(default_factory=list)
    depth: list[Figure] = field(default_factory=list)
    loaders: list[Figure] = field(default_factory=list)
    growths: list[Growth] = field(default_factory=list)
    openings: list[Opening] = field(default_factory=list)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = make_parser("loader", "From stored episodes to batches: random frames, windows, workers, memory, opening.")
    add_folder_option(parser)
    parser.add_argument(
        "--with-lerobot", action="store_true", help="measure LeRobot and torchcodec too; makes its environment, some GB"
    )
    parser.add_argument("--only", metavar="TEXT", help="only scenes whose name has this in it (quick: the first one)")
    parser.add_argument(
        "--ticks", type=int, nargs="+", metavar="N", help="lengths of the episodes (default: 150 to 285)"
    )
    parser.add_argument("--episodes", type=int, metavar="N", help="of the large snapshot (default: 10000; quick: 1000)")
    parser.add_argument("--samples", type=int, metavar="N", help="until memory is flat (default: 100000; quick: 10000)")
    options = parser.parse_args(arguments)
    text = options.only if options.only is not None else _QUICK_SCENE if options.quick else ""
    scenes = [scene for scene in SCENES if text in scene.name]
    if not scenes:
        parser.error(f"--only {text}: the scenes are {', '.join(scene.name for scene in SCENES)}")
    lerobot, said = find_lerobot(is_asked_for=options.with_lerobot)
    settings = Settings(
        num_ticks=list(options.ticks or (_QUICK_TICKS if options.quick else _FULL_TICKS)),
        num_rounds=num_rounds(options),
        num_threads=usable_cores(),
        turn_seconds=0.1 if options.quick else 0.5,
        workers=(0, 2) if options.quick else (0, 1, 2),
        lerobot=lerobot,
    )
    samples = options.samples or _POINTS[-1] // (10 if options.quick else 1)
    points = [max(1, samples * point // _POINTS[-1]) for point in _POINTS]
    # Pages of a file in memory cannot be dropped, so not there unless it is asked for.
    folder = options.folder or Path(tempfile.gettempdir())
    needed = _BYTES_A_PIXEL * max(scene.size[0] * scene.size[1] for scene in scenes) * sum(settings.num_ticks)
    results = _Results()
    with working_folder(folder, needed_bytes=needed) as (made, medium):
        for scene in scenes:
            _say(scene.name)
            _measure_scene(scene, settings, made, results)
        _say("memory")
        results.growths = _measure_growth(settings, points, made)
        _say("opening")
        results.openings = _measure_opening(settings, options.episodes or (1_000 if options.quick else 10_000), made)
    notes = [
        *results.abouts,
        f"JPEG quality {QUALITY}, 4:2:0 at 640×480 and 4:4:4 at 96×96; episodes of {min(settings.num_ticks)} to "
        f"{max(settings.num_ticks)} ticks, {len(settings.num_ticks)} of them; {medium}.",
        f"Each contender is a process of its own with {settings.num_threads} threads that decode; they take turns of "
        f"{settings.turn_seconds} s; medians of {settings.num_rounds} rounds; ratios are those within a round.",
        *said,
        *left_out(),
    ]
    publish(
        "loader",
        _tables(results, notes),
        options=options,
        settings={
            "num_ticks": settings.num_ticks,
            "num_threads": settings.num_threads,
            "turn_seconds": settings.turn_seconds,
            "files": medium,
            "lerobot": None if lerobot is None else lerobot.versions,
        },
        samples=_samples(results),
    )
    return 0


def _measure_scene(scene: Scene, settings: Settings, folder: Path, results: _Results) -> None:
    with fresh_folder(folder) as own:
        contest = SceneContest(scene, settings, own)
        results.abouts.append(f"{scene.name}: {contest.stores.about}.")
        results.arrays += contest.arrays()
        results.depth += contest.depth()
        results.loaders += contest.loaders()


def _measure_growth(settings: Settings, points: Sequence[int], folder: Path) -> list[Growth]:
    scene = next(scene for scene in SCENES if scene.size == SMALL_SIZE and scene.is_simulated)
    with fresh_folder(folder) as own:
        write_stores(scene, own, settings.num_ticks)
        growths = []
        for has_worker in (False, True) if has_torch() else (False,):
            arguments = {"folder": str(own), "points": [*points], "has_worker": has_worker}
            measured = run_child("benchmarks.loader.memory:prepare", arguments)
            found = {int(point): rss for point, rss in measured.result["rss_bytes"].items()}
            growths.append(Growth("a worker of bagmill's loader" if has_worker else f"{OURS}, batch", found))
        return growths


def _measure_opening(settings: Settings, num_episodes: int, folder: Path) -> list[Opening]:
    with fresh_folder(folder) as own:
        write_many(own, num_episodes)
        arguments = {"folder": str(own), "has_torch": has_torch()}
        measured: list[Measured] = [
            run_child("benchmarks.loader.opening:prepare", arguments) for _ in range(settings.num_rounds)
        ]
        return [Opening(**each.result) for each in measured]


def _tables(results: _Results, notes: Sequence[str]) -> list[Table]:
    cold = "Cold: pages of all files dropped from the cache (posix_fadvise) before every batch, outside of the time."
    tables = [
        figure_table(
            "Batches of arrays",
            results.arrays,
            notes=[
                *notes,
                "The ceiling decodes the same bytes from memory to the same arrays again and again, and does nothing else; "
                "bagmill writes to the same arrays again and again, too; to 224×224 the ceiling is the decoder's own scale.",
                "bagmill decodes every frame; `bagmill, frames kept` has its frame cache as it is by default for datasets "
                "of which all frames fit into 256 MiB, and has decoded them all once before.",
                "torchcodec keeps its decoders, as LeRobot does; its frames are not put together to batches.",
                cold,
            ],
        ),
        figure_table(
            "Depth",
            results.depth,
            notes=["uint16, bit for bit; the ceiling is zstd alone, from memory.", cold],
        ),
    ]
    if results.loaders:
        tables.append(
            figure_table(
                "Batches of tensors, by loaders",
                results.loaders,
                notes=[
                    "As users call them: bagmill's make_loader, its order its own; the others under torch's DataLoader with "
                    "its defaults, all asked for the same random samples. Once under way; starting is not in it.",
                    "LeRobot gives float32, the others uint8 unless it is said. A camera that is not asked for is taken out "
                    "of LeRobot's dataset, which would decode it otherwise.",
                    "Memory: of all processes, what they share counted once. Cold: pages dropped before the loader starts, "
                    "and eight batches.",
                ],
            )
        )
    tables += [
        growth_table(results.growths),
        opening_table(
            results.openings,
            notes=[
                f"{NUM_PUBLISHED} episodes are published and the others are links to them under names of their own; "
                "files in the page's cache; the processes' Python and torch have been imported before.",
            ],
        ),
        bars.table(results.arrays, results.depth, results.loaders, results.growths, results.openings),
    ]
    return [table for table in tables if table.rows]


def _samples(results: _Results) -> dict[str, Any]:
    return {
        "arrays": {figure.key: figure.taken for figure in results.arrays},
        "depth": {figure.key: figure.taken for figure in results.depth},
        "loaders": {figure.key: figure.taken for figure in results.loaders},
        "memory": {growth.name: growth.rss_bytes for growth in results.growths},
        "opening": [opening.as_json() for opening in results.openings],
    }


def _say(what: str) -> None:
    print(f"{what} …", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
