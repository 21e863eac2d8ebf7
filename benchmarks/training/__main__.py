"""The command line: `python -m benchmarks.training --json FILE`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bagmill.cores import usable_cores
from benchmarks.child import run_child
from benchmarks.folders import add_folder_option, fresh_folder, working_folder
from benchmarks.loader.contenders import KEPT, OURS, Contender, has_torch, left_out, lerobot_name
from benchmarks.loader.lerobot_environment import LeRobot, find_lerobot
from benchmarks.loader.readers import HDF5, JPEG, PNG, ZARR
from benchmarks.loader.scenes import SCENES, SMALL_SIZE, Scene
from benchmarks.loader.stores import QUALITY, has_h5py, write_stores
from benchmarks.program import make_parser, num_rounds, publish
from benchmarks.rounds import take_turns
from benchmarks.standing import StandingChild
from benchmarks.training.results import Result, bar_table, result_table

if TYPE_CHECKING:
    from benchmarks.training.policies import Policy  # it needs torch

_FULL_TICKS: Final = tuple(range(150, 300, 15))
_QUICK_TICKS: Final = (150, 170)
_READERS: Final = (ZARR, HDF5, JPEG, PNG)
_BYTES_A_PIXEL: Final = 12
_WORKERS: Final = (0, 2)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the benchmark.

    Returns:
        The exit code.
    """
    parser = make_parser(
        "training", "The same policies on the same batches by different loaders: time, and whose it is."
    )
    add_folder_option(parser)
    parser.add_argument(
        "--with-lerobot", action="store_true", help="measure LeRobot too; makes its environment, some GB"
    )
    parser.add_argument("--only", metavar="TEXT", default="", help="only scenes whose name has this in it")
    parser.add_argument("--policy", action="append", metavar="NAME", help="CNN-BC, MLP or ViT (default: all)")
    parser.add_argument(
        "--ticks", type=int, nargs="+", metavar="N", help="lengths of the episodes (default: 150 to 285)"
    )
    parser.add_argument(
        "--seconds", type=float, metavar="S", help="after which a run ends early (default: 15; quick: 1)"
    )
    options = parser.parse_args(arguments)
    if not has_torch():
        parser.error("torch is not installed: pip install 'bagmill[torch]'")
    from benchmarks.training.policies import POLICIES  # noqa: PLC0415 - it needs torch

    policies = [policy for policy in POLICIES if policy.name in (options.policy or [each.name for each in POLICIES])]
    small = [scene for scene in SCENES if scene.size == SMALL_SIZE and options.only in scene.name]
    scenes = small[-1:] if options.quick else small
    if not scenes or not policies:
        parser.error(f"the scenes are {', '.join(s.name for s in SCENES if s.size == SMALL_SIZE)}")
    lerobot, said = find_lerobot(is_asked_for=options.with_lerobot)
    num_threads = usable_cores()
    num_ticks = list(options.ticks or (_QUICK_TICKS if options.quick else _FULL_TICKS))
    seconds = options.seconds or (1.0 if options.quick else 15.0)
    contenders = _contenders(lerobot, num_threads=num_threads)
    results: list[Result] = []
    abouts: list[str] = []
    needed = _BYTES_A_PIXEL * SMALL_SIZE[0] * SMALL_SIZE[1] * sum(num_ticks)
    with working_folder(options.folder, needed_bytes=needed) as (made, medium):
        for scene in scenes:
            with fresh_folder(made) as folder:
                abouts.append(f"{scene.name}: {_write(scene, folder, num_ticks, policies, lerobot)}.")
                results += _train(
                    scene, folder, contenders, [policy.name for policy in policies], num_rounds(options), seconds
                )
    notes = [
        *abouts,
        f"{len(num_ticks)} episodes, {sum(num_ticks)} ticks; JPEG quality {QUALITY}, 4:4:4; {medium}; "
        f"{num_threads} threads compute, and decode.",
        "Every run: the same seed and the same samples in the same order, batches of 64 (CNN-BC), 256 (MLP) and 32 (ViT); "
        f"the time of a step is that of all steps after the first, {seconds:g} s of them at most. Waiting: from asking for "
        "a batch to having it.",
        f"Medians of {num_rounds(options)} rounds in which the contenders take turns; ratios are those within a round.",
        "Losses: equal in every digit at every step. HDF5 and PNG hold the frames before they were JPEG, so theirs are "
        "others; films are others again.",
        "The readers and LeRobot are under torch's DataLoader with its defaults, one sample at a time.",
        f"`{KEPT}`: decoded frames are kept from epoch to epoch, by each process its own, as it is by default where all "
        "fit into 256 MiB; `bagmill` decodes every frame.",
        *said,
        *left_out(),
    ]
    publish(
        "training",
        [result_table(results, notes), bar_table(results)],
        options=options,
        settings={
            "num_ticks": num_ticks,
            "num_threads": num_threads,
            "most_seconds": seconds,
            "files": medium,
            "lerobot": None if lerobot is None else lerobot.versions,
        },
        samples={result.key: result.answers for result in results},
    )
    return 0


def _contenders(lerobot: LeRobot | None, *, num_threads: int) -> list[Contender]:
    module, threads = "benchmarks.training", {"num_threads": num_threads}
    contenders = [
        Contender(name, f"{module}.contenders:prepare_bagmill", {"frame_cache_bytes": size, **threads})
        for name, size in ((OURS, 0), (KEPT, None))
    ]
    kinds = [kind for kind in _READERS if kind != HDF5 or has_h5py()]
    contenders += [Contender(kind, f"{module}.contenders:prepare_reader", {"kind": kind, **threads}) for kind in kinds]
    if lerobot is not None:
        films = [(lerobot_name(backend), backend, True) for backend in lerobot.backends]
        films.append(("LeRobot, films taken out", lerobot.backends[0], False))
        contenders += [
            Contender(name, f"{module}.lerobot:prepare", {"backend": backend, "has_films": has, **threads}, lerobot)
            for name, backend, has in films
        ]
    return contenders


def _write(
    scene: Scene, folder: Path, num_ticks: Sequence[int], policies: Sequence[Policy], lerobot: LeRobot | None
) -> str:
    from benchmarks.training.contenders import write_orders  # noqa: PLC0415 - it needs torch

    print(f"{scene.name} …", file=sys.stderr, flush=True)
    stores = write_stores(scene, folder, num_ticks)
    write_orders(folder, policies)
    if lerobot is not None:
        target, arguments = "benchmarks.loader.lerobot:prepare_writing", {"folder": str(folder)}
        run_child(target, arguments, python=lerobot.python, environment=lerobot.environment)
    return stores.about


def _train(
    scene: Scene, folder: Path, contenders: Sequence[Contender], policies: Sequence[str], rounds: int, seconds: float
) -> list[Result]:
    results = []
    with ExitStack() as stack:
        children = {each.name: stack.enter_context(each.start(folder)) for each in contenders}
        for policy in policies:
            for num_workers in _WORKERS:
                print(f"  {policy}, {num_workers} workers …", file=sys.stderr, flush=True)
                question = {"policy": policy, "num_workers": num_workers, "seconds": seconds}
                asked = {name: child for name, child in children.items() if _takes_part(name, policy)}
                turns = {name: partial(_ask, child, question) for name, child in asked.items()}
                for name, answers in take_turns(turns, num_rounds=rounds).items():
                    results.append(Result(scene.name, policy, num_workers, name, answers))
    return results


def _takes_part(contender: str, policy: str) -> bool:
    """Whether a contender differs from the others for a policy: the MLP sees no pictures, the others do."""
    without_pictures = policy == "MLP"
    return without_pictures if "taken out" in contender else not (without_pictures and contender == KEPT)


def _ask(child: StandingChild, question: dict[str, Any]) -> dict[str, Any]:
    return child.ask(**question)


if __name__ == "__main__":
    sys.exit(main())
