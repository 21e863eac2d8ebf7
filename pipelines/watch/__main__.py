"""`python -m pipelines.watch`: looks every minute, until it is ended."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

import dagster as dg

from bagmill.errors import BagmillError
from pipelines.last_good import load_in_force
from pipelines.watch.looks import Looks
from pipelines.watch.watch import Watch
from pipelines.wiring import alert_sink


def main(arguments: list[str] | None = None) -> int:
    """Watch until interrupted.

    Returns:
        The exit code: 1 where it cannot begin.
    """
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)  # tells of every opening of a database
    home = os.environ.get("DAGSTER_HOME")
    if not home:
        sys.stderr.write("bagmill watch: DAGSTER_HOME is not set: name the folder of Dagster's settings.\n")
        return 1
    is_over = threading.Event()

    def stop(_: int, __: FrameType | None) -> None:
        is_over.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    try:
        in_force = load_in_force()
    except BagmillError as err:
        sys.stderr.write(f"bagmill watch: {err}\n")
        return 1
    memory = Path(home) / "bagmill" / "watch.json"
    with dg.DagsterInstance.get() as instance:
        looks = Looks(instance)
        watch: Watch | None = None
        while not is_over.is_set():
            deployment = in_force.deployment
            sink, url = alert_sink(deployment.alerts), deployment.media.dagster_url
            watch = Watch(looks.of(in_force), sink=sink, dagster_url=url, memory=memory, before=watch)
            watch.look()
            is_over.wait(options.every_s)
            try:
                in_force = load_in_force()
            except BagmillError as err:
                logging.warning("%s", err)  # noqa: LOG015 - the program's own log
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m pipelines.watch",
        description="Raise an alert when Dagster's daemon is gone, a sensor or schedule fails, a disk is nearly full, a robot is "
        "silent, or the deployment's file is wrong; `alerts` in that file says where to. Needs DAGSTER_HOME.",
    )
    parser.add_argument("--every-s", type=float, default=60.0, help="seconds from one look to the next (default: 60)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
