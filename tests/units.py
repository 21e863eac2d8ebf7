"""What the services' units run, for tests to run it as well."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from pipelines.deployment import ROOT

UNITS = ROOT / "examples" / "service"


def commands_of(unit: str, changes: Mapping[str, str]) -> list[list[str]]:
    """What a unit runs, one after the other: what has to be done before, and the service itself.

    Args:
        unit: `daemon`, `webserver` and so on.
        changes: Paths and ports of the installation's, and those of the test's.
    """
    lines = (UNITS / f"bagmill-{unit}.service").read_text().splitlines()
    commands = []
    for program, *arguments in (line.partition("=")[2].split() for line in lines if line.startswith("ExecStart")):
        assert program.startswith("/opt/bagmill/.venv/bin/")
        name = Path(program).name
        start = sys.executable if name == "python" else str(Path(sys.executable).parent / name)
        commands.append([start, *(changes.get(argument, argument) for argument in arguments)])
    if unit == "webserver":
        commands[-1] += ["--host", "127.0.0.1", "--port", "0"]
    return commands
