"""`bagmill deployment`: looks a deployment's one configuration file through."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from bagmill.cli.screen import print_json, results, table
from bagmill.cli.wording import counted, printable
from bagmill.deployment import check_deployment, read_deployment
from bagmill.limits import set_limits

HELP = "Look a deployment's configuration file through: settings, folders, profiles, rules, links."
EPILOG = """[bold]Examples[/bold]

bagmill deployment check /etc/bagmill/deployment.yaml  [dim]before Dagster is told to reload it[/dim]
"""
_SIGNS: Final = {"ok": ("✓", "green"), "warning": ("!", "yellow"), "error": ("✗", "red")}


def check(
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="The file; left out, the one that BAGMILL_DEPLOYMENT names.")
    ] = None,
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> int:
    """Say what is wrong in a deployment's file, or will be: settings, folders, profiles, rules that match nothing, links.

    Nothing is written, and nothing that runs is told. Exit code 1 where something will not work.
    """
    path = file or Path(os.environ.get("BAGMILL_DEPLOYMENT", ""))
    if path == Path():
        raise typer.BadParameter("no file is named, and BAGMILL_DEPLOYMENT names none", param_hint="FILE")
    deployment = read_deployment(path)
    set_limits(deployment.limits)
    findings = list(check_deployment(deployment))
    num_errors = sum(finding.state == "error" for finding in findings)
    if as_json:
        listed = [{"place": each.place, "state": each.state, "text": each.text} for each in findings]
        print_json({"path": path, "is_right": not num_errors, "findings": listed})
        return 1 if num_errors else 0
    shown = table("", "setting", "found")
    for finding in findings:
        sign, style = _SIGNS[finding.state]
        shown.add_row(Text(sign, style=style), finding.place.removeprefix("$."), printable(finding.text))
    results().print(shown)
    num_warnings = sum(finding.state == "warning" for finding in findings)
    said = f"{counted(num_errors, 'mistake')}, {counted(num_warnings, 'warning')} in {path}."
    results().print(Text(printable(said)), soft_wrap=True)
    return 1 if num_errors else 0


ACTIONS = {"check": check}
