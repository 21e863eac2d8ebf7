"""`bagmill repair`: makes again what is damaged in a dataset and can be made again, or says what that is."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.health_facts import finding_json, print_mended
from bagmill.cli.progress import Steps
from bagmill.cli.screen import notices, print_json, results
from bagmill.cli.wording import counted
from bagmill.dataset import Dataset, episode_name
from bagmill.health import Mended, verify_dataset
from bagmill.health import repair as mend
from bagmill.recordings import discover

EPILOG = """[bold]What is made from what[/bold]

Episodes and reports from their recording, by the profile that the episode has; films and contact sheets from the episode;
plots from the index of the last scan; `latest` from the snapshots.

What stands nowhere else is left and told: the rows of an older snapshot, names given by hand, a quarantine entry.

[bold]Examples[/bold]

bagmill repair dataset/  [dim]list what would be done, and change nothing[/dim]

bagmill repair dataset/ --apply  [dim]do it[/dim]
"""


def repair(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset's folder.")],
    *,
    is_applied: Annotated[bool, typer.Option("--apply", help="Do what is listed.")] = False,
    recordings: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Where the recordings lie, if not where they lay when they were ingested."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """List what is damaged in a dataset and can be made again; with --apply, make it again.

    Everything is read first, as verify does. Exit code 1 where damage is left.
    """
    if not dataset.is_dir():
        raise typer.BadParameter(f"{dataset} is no folder", param_hint="DATASET")
    if recordings is not None and not recordings.is_dir():
        raise typer.BadParameter(f"{recordings} is no folder", param_hint="--recordings")
    folder = Dataset(dataset)
    steps = Steps("dataset", num_subjects=1)
    with steps.subject(str(dataset)):
        report = verify_dataset(folder, progress=steps.report)
        outcomes = mend(
            folder,
            report.findings,
            is_applied=is_applied,
            recordings={}
            if recordings is None
            else {episode_name(recordings, each): each for each in discover(recordings)},
            progress=lambda done: steps.report("repair", done, len(report.findings)),
        )
    is_left = any(each.outcome != "mended" and each.finding.kind != "leftover" for each in outcomes)
    if as_json:
        print_json({"path": dataset, "is_applied": is_applied, "findings": [_json(each) for each in outcomes]})
        return 1 if is_left else 0
    if not outcomes:
        results().print(Text("Nothing is damaged, and nothing is left over"))
        return 0
    print_mended(folder, outcomes)
    counts = {state: sum(each.outcome == state for each in outcomes) for state in ("mended", "can be mended", "left")}
    results().print(Text(", ".join(f"{num:,} {state}" for state, num in counts.items() if num)), soft_wrap=True)
    if counts["can be mended"]:
        notices().print(Text(f"Nothing was changed: --apply mends {counted(counts['can be mended'], 'finding')}"))
    return 1 if is_left else 0


def _json(mended: Mended) -> dict[str, object]:
    return finding_json(mended.finding) | {"outcome": mended.outcome, "how": mended.how}
