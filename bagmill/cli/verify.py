"""`bagmill verify`: reads episodes back, every byte."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.episode_paths import find_episodes
from bagmill.cli.progress import Steps
from bagmill.cli.screen import complain, print_json, results
from bagmill.cli.wording import counted, printable
from bagmill.episodes import VerifyReport, verify_episode
from bagmill.errors import BagmillError

_MOST_DAMAGES = 20
"""Shown of one episode; JSON has them all."""

EPILOG = """[bold]Examples[/bold]

bagmill verify dataset/  [dim]a whole dataset[/dim]

bagmill verify dataset/episodes/trial_7.mcap  [dim]one episode[/dim]
"""


def verify(
    episodes: Annotated[
        list[Path], typer.Argument(metavar="EPISODE", help="Episodes: `.zarr` folders, or folders of versions.")
    ],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Read episodes back, compare every checksum, decode every frame, and list what is damaged.

    Exit code 1 where anything is.
    """
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
        print_json({"episodes": [*(_json(report) for report in checked), *unread]})
    return 0 if not missing and all(report.is_whole for report in checked) else 1


def _print(report: VerifyReport) -> None:
    console = results()
    read = f"{counted(report.num_arrays, 'array')}, {counted(report.num_chunks, 'chunk')} read"
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
        "damages": [{"array": each.array, "tick": each.tick, "problem": each.problem} for each in report.damages],
    }
