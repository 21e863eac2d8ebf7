"""`bagmill verify`: reads a dataset or single episodes back, every byte."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.episode_paths import find_episodes
from bagmill.cli.health_facts import health_json, print_health
from bagmill.cli.progress import Steps
from bagmill.cli.screen import complain, print_json, results
from bagmill.cli.wording import counted, printable
from bagmill.dataset import Dataset
from bagmill.episodes import VerifyReport, verify_episode
from bagmill.errors import BagmillError
from bagmill.health import HealthReport, Turn, save_turn, take_turn, verify_dataset

_MOST_DAMAGES = 20
"""Shown of one episode; JSON has them all."""

EPILOG = """[bold]Examples[/bold]

bagmill verify dataset/  [dim]everything in a dataset: episodes, reports, films, pictures, snapshots and their names[/dim]

bagmill verify dataset/ --sample 1%  [dim]a hundredth of its episodes, the next one each time[/dim]

bagmill verify dataset/episodes/trial_7.mcap  [dim]one episode[/dim]
"""


def verify(
    episodes: Annotated[
        list[Path],
        typer.Argument(metavar="PATH", help="Datasets, or episodes: `.zarr` folders, or folders of versions."),
    ],
    *,
    sample: Annotated[
        str | None,
        typer.Option(
            metavar="PART",
            help="Of a dataset only this part of its episodes, `1%` or `0.01`: the one that comes after that of the last time.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Read a dataset or episodes back, compare every checksum, decode every frame, and list what is damaged.

    Of a dataset everything is read: episodes, reports, films and pictures, snapshots, their names and statistics, quarantine,
    nights. Nothing is changed. Exit code 1 where anything is damaged.
    """
    fraction = 1.0 if sample is None else _fraction(sample)
    folders = [path for path in episodes if _is_dataset(path)]
    if sample is not None and len(folders) < len(episodes):
        raise typer.BadParameter("a sample is taken of a dataset, not of an episode", param_hint="--sample")
    found = [_look_through(Dataset(folder), fraction, as_json=as_json) for folder in folders]
    episodes = [path for path in episodes if path not in folders]
    checked: list[VerifyReport] = []
    missing: list[tuple[Path, BagmillError]] = []
    paths: list[Path] = []
    for episode in episodes:
        try:
            paths += find_episodes(episode)
        except BagmillError as err:
            missing.append((episode, err))
            complain(str(err))
    steps = Steps("episode", num_subjects=len(paths))
    for path in paths:
        with steps.subject(f"{path.parent.name}/{path.name}"):
            report = verify_episode(path, progress=lambda done, total: steps.report("verify", done, total))
        checked.append(report)
        if not as_json:
            _print(report)
    if as_json:
        unread = [{"path": path, "is_whole": False, "error": str(err), "damages": []} for path, err in missing]
        print_json(
            {
                "datasets": [health_json(dataset, report, turn=turn) for dataset, report, turn in found],
                "episodes": [*(_json(report) for report in checked), *unread],
            }
        )
    is_whole = all(report.is_whole for report in checked) and all(report.is_whole for _, report, _ in found)
    return 0 if not missing and is_whole else 1


def _look_through(dataset: Dataset, fraction: float, *, as_json: bool) -> tuple[Dataset, HealthReport, Turn | None]:
    turn = None if fraction >= 1 else take_turn(dataset, fraction)
    steps = Steps("dataset", num_subjects=1)
    with steps.subject(str(dataset.path)):
        report = verify_dataset(dataset, turn=turn, progress=steps.report)
    if turn is not None:
        try:
            save_turn(dataset, turn)
        except BagmillError as err:
            complain(f"the same part is looked at the next time: {err}")
    if not as_json:
        print_health(dataset, report, turn=turn)
    return dataset, report, turn


def _is_dataset(path: Path) -> bool:
    return any((path / name).is_dir() for name in ("episodes", "reports", "snapshots"))


def _fraction(text: str) -> float:
    try:
        fraction = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        fraction = 0.0
    if not 0 < fraction <= 1:
        raise typer.BadParameter(f"{text!r} is no part; write 1% or 0.01", param_hint="--sample")
    return fraction


def _print(report: VerifyReport) -> None:
    console = results()
    read = f"{counted(report.num_arrays, 'array')}, {counted(report.num_chunks, 'chunk')} read"
    if not report.has_checksums:
        read += (
            "; from before episodes had checksums of their files, so that whole files that were swapped are not told"
        )
    if report.is_whole:
        console.print(Text(f"{printable(str(report.path))}: whole ({read})"), soft_wrap=True)
        return
    console.print(
        Text(f"{printable(str(report.path))}: {counted(len(report.damages), 'damage')} ({read})"), soft_wrap=True
    )
    for damage in report.damages[:_MOST_DAMAGES]:
        console.print(Text(f"  {printable(str(damage))}"), soft_wrap=True)
    if (num_more := len(report.damages) - _MOST_DAMAGES) > 0:
        console.print(Text(f"  … and {num_more:,} more"))


def _json(report: VerifyReport) -> dict[str, object]:
    return {
        "path": report.path,
        "is_whole": report.is_whole,
        "num_arrays": report.num_arrays,
        "num_chunks": report.num_chunks,
        "has_checksums": report.has_checksums,
        "damages": [{"array": each.array, "tick": each.tick, "problem": each.problem} for each in report.damages],
    }
