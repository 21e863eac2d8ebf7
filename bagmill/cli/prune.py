"""`bagmill prune`: removes the versions that nothing needs any more, or says which those are."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from bagmill.cli.screen import notices, print_json, results, table
from bagmill.cli.wording import counted, printable, size_text
from bagmill.dataset import Dataset, Pruned, PrunePlan, apply_prune, plan_prune

EPILOG = """[bold]What stays[/bold]

The version of an episode that was last asked for, and its current one, which is the last that failed no blocking check.

Every version that a kept snapshot names: training on that snapshot goes on as before.

Versions that are being made.

[bold]Examples[/bold]

bagmill prune dataset/  [dim]list what would go, and change nothing[/dim]

bagmill prune dataset/ --apply  [dim]remove it[/dim]

bagmill prune dataset/ --keep-snapshots 30 --apply  [dim]older snapshots without a name as well[/dim]
"""


def prune(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="The dataset's folder.")],
    *,
    is_applied: Annotated[bool, typer.Option("--apply", help="Remove what is listed.")] = False,
    keep_snapshots: Annotated[
        int | None,
        typer.Option(
            "--keep-snapshots",
            min=0,
            metavar="N",
            help="Keep the newest N snapshots, those with a name and that of the last night; all if left out.",
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """List the versions of episodes that nothing needs any more; with --apply, remove them.

    Another profile, or a recording that changed, makes a new version of an episode beside the old one. The old one stays
    until it is pruned here, so that what was trained on it can be trained again.

    What was removed can be made again from its recording and profile, as long as those are there.
    """
    if not (dataset / "episodes").is_dir():
        raise typer.BadParameter(f"{dataset} is no dataset: it has no folder `episodes`", param_hint="DATASET")
    plan = plan_prune(Dataset(dataset), keep_snapshots=keep_snapshots)
    pruned = apply_prune(Dataset(dataset), plan) if is_applied else None
    if as_json:
        print_json(_json(plan, pruned))
    else:
        _print(plan, pruned)


def _print(plan: PrunePlan, pruned: Pruned | None) -> None:
    versions = plan.versions if pruned is None else pruned.versions
    snapshots = plan.snapshots if pruned is None else pruned.snapshots
    if versions or snapshots:
        shown = table("episode", "version", "size", "why", right=("size",))
        for version in versions:
            shown.add_row(
                printable(version.episode), version.version, size_text(version.size_bytes), printable(version.reason)
            )
        for snapshot in snapshots:
            shown.add_row("–", f"snapshot {snapshot.id}", size_text(snapshot.size_bytes), "it has no name, and is old")
        results().print(shown)
    if plan.num_leftovers:
        _say(
            f"{counted(plan.num_leftovers, 'leftover')} of runs that were interrupted, {size_text(plan.leftover_bytes)}"
        )
    kept = f"{plan.num_current:,} current, {plan.num_named:,} others named by a snapshot, {plan.num_in_making:,} in the making"
    if plan.num_unknown:
        kept += f", {plan.num_unknown:,} of episodes with a damaged report (see `bagmill verify`)"
    _say(f"Kept: {kept}")
    if not (plan.versions or plan.size_bytes or plan.num_leftovers):
        _say("Nothing to remove")
    elif pruned is None:
        _say(f"Would remove {counted(len(versions), 'version')}, {size_text(plan.size_bytes)}")
        notices().print(Text("Nothing was changed: --apply removes it"))
    else:
        skipped = f"; {counted(len(pruned.skipped), 'version')} needed again, and kept" if pruned.skipped else ""
        _say(f"Removed {counted(len(versions), 'version')}, {size_text(pruned.size_bytes)}{skipped}")


def _say(sentence: str) -> None:
    results().print(Text(f"{sentence}."), soft_wrap=True)


def _json(plan: PrunePlan, pruned: Pruned | None) -> dict[str, object]:
    versions = plan.versions if pruned is None else pruned.versions
    snapshots = plan.snapshots if pruned is None else pruned.snapshots
    return {
        "is_applied": pruned is not None,
        "size_bytes": plan.size_bytes if pruned is None else pruned.size_bytes,
        "versions": [
            {
                "episode": each.episode,
                "version": each.version,
                "size_bytes": each.size_bytes,
                "reason": each.reason,
            }
            for each in versions
        ],
        "snapshots": [{"id": each.id, "size_bytes": each.size_bytes} for each in snapshots],
        "skipped": [{"episode": each.episode, "version": each.version} for each in pruned.skipped] if pruned else [],
        "num_leftovers": plan.num_leftovers,
        "num_current": plan.num_current,
        "num_named": plan.num_named,
        "num_in_making": plan.num_in_making,
        "num_unknown": plan.num_unknown,
    }
