"""Dagster's web UI, its daemon and the media server together, until one of them ends: `make ui`.

For one person at one machine. An installation that is to stay up has each of them as a service of its own.
"""

from __future__ import annotations

import argparse
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from types import FrameType
from typing import Final

from pipelines.deployment import ROOT

_GRACE_S: Final = 30
"""How long `dagster dev` may take to end its own processes."""
_LOOK_S: Final = 0.5


def main(arguments: list[str] | None = None) -> int:
    """Run both until interrupted, or until one ends by itself; then end the other.

    Returns:
        The exit code: 0 when interrupted, else that of what ended by itself.
    """
    options = _parser().parse_args(arguments)
    is_over = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        is_over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    media = [sys.executable, "-m", "pipelines.media"]
    if options.media_port is not None:
        media += ["--port", str(options.media_port)]
    dagster = [sys.executable, "-m", "dagster", "dev", "-w", "workspace.yaml", "-h", options.host, "-p", options.port]
    # The media server first: it says at once where its address is taken.
    processes = [_start(media), _start(dagster)]
    ended: Sequence[subprocess.Popen[bytes]] = ()
    try:
        while not is_over.wait(_LOOK_S) and not ended:
            ended = [process for process in processes if process.poll() is not None]
    finally:
        _end(processes)
    return next((process.returncode for process in ended), 0) if not is_over.is_set() else 0


def _start(command: list[str]) -> subprocess.Popen[bytes]:
    # A group of its own: a Ctrl-C in the terminal is for us, who tell each of them once.
    return subprocess.Popen(command, cwd=ROOT, process_group=0)  # noqa: S603 - our own command lines


def _end(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    for process in processes:
        try:
            process.wait(_GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.ui",
        description="Start Dagster's web UI with its daemon, and the media server, and end both together. Needs DAGSTER_HOME; "
        "the deployment's file is the one that BAGMILL_DEPLOYMENT names, else var/deployment.yaml.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address of Dagster's web UI (default: 127.0.0.1)")
    parser.add_argument("--port", default="3000", help="port of Dagster's web UI (default: 3000)")
    parser.add_argument("--media-port", type=int, help="the media server's, in place of `media.port`")
    return parser


if __name__ == "__main__":
    sys.exit(main())
