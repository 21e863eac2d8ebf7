"""Dagster's web UI, its daemon, the code server, the media server and the watch together, until one of them ends: `make ui`.

For one person at one machine. An installation that is to stay up has each of them as a service of its own.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Final

import yaml

from bagmill.errors import BagmillError
from pipelines.database import prepare
from pipelines.deployment import ROOT
from pipelines.web.serving import port_number

_GRACE_S: Final = 30
"""How long the processes may take to end, all together."""
_LOOK_S: Final = 0.2
_LOCATION: Final = "bagmill"


def main(arguments: list[str] | None = None) -> int:
    """Run all of them until interrupted, or until one ends by itself; then end the others.

    Returns:
        The exit code: 0 when interrupted, 2 where the database cannot be made ready, else that of what ended by itself.
    """
    options = _parser().parse_args(arguments)
    is_over = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        is_over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        prepare()
    except BagmillError as err:
        print(err, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="bagmill-ui-") as folder:
        return _run(options, Path(folder), is_over)


def _run(options: argparse.Namespace, folder: Path, is_over: threading.Event) -> int:
    socket, workspace = folder / "code.sock", folder / "workspace.yaml"
    at_socket = {"socket": str(socket), "location_name": _LOCATION}
    workspace.write_text(yaml.safe_dump({"load_from": [{"grpc_server": at_socket}]}), encoding="utf-8")
    web = ["pipelines.web", "-w", str(workspace), *_given(host=options.host, port=options.port)]
    code = ["dagster", "code-server", "start", "-s", str(socket), "-f", "pipelines/definitions.py", "-d", str(ROOT)]
    # The media server first: it says at once where its address is taken. What asks the code server comes once that answers.
    steps: list[tuple[list[list[str]], Callable[[], bool]]] = [
        ([["pipelines.media", *_given(port=options.media_port)]], lambda: True),
        ([[*code, "--location-name", _LOCATION]], socket.exists),
        ([["dagster._daemon", "run", "-w", str(workspace)], web, ["pipelines.watch"]], lambda: False),
    ]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for modules, is_ready in steps:
            processes += [_start(module) for module in modules]
            while not is_ready():
                if is_over.wait(_LOOK_S):
                    return 0
                ended = [process.returncode for process in processes if process.poll() is not None]
                if ended:
                    return ended[0]
    finally:
        _end(processes)
    return 0


def _given(**options: object) -> list[str]:
    """What was asked for, as options of a command; the rest stands in the deployment's file."""
    return [part for name, value in options.items() if value is not None for part in (f"--{name}", str(value))]


def _start(module: list[str]) -> subprocess.Popen[bytes]:
    # A group of its own: a Ctrl-C in the terminal is for us, who tell each of them once.
    command = [sys.executable, "-m", *module]
    return subprocess.Popen(command, cwd=ROOT, process_group=0)  # noqa: S603 - our own command lines


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in reversed(processes):
        # What Ctrl-C sends: on it, the code server ends what it has started, too.
        process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + _GRACE_S
    for process in processes:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.ui",
        description="Start Dagster's web UI with its daemon and code server, the media server and the watch, and end all of them "
        "together. Needs DAGSTER_HOME; the deployment's file is the one that BAGMILL_DEPLOYMENT names, else var/deployment.yaml.",
    )
    parser.add_argument("--host", help="address of Dagster's web UI, in place of `web.host`")
    parser.add_argument("--port", type=port_number, help="port of Dagster's web UI, in place of `web.port`")
    parser.add_argument("--media-port", type=port_number, help="the media server's, in place of `media.port`")
    return parser


if __name__ == "__main__":
    sys.exit(main())
