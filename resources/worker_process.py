"""The program a worker process runs: requests come in through a socket, what became of them goes back.

A program of its own, not a `multiprocessing` child: that would import the caller's main module, and with it Dagster.
"""

from __future__ import annotations

import os
import select
import sys
import threading
import traceback
from dataclasses import dataclass
from multiprocessing.connection import Connection

from bagmill.ingest import IngestOutcome, IngestRequest, ingest


@dataclass(frozen=True, slots=True)
class Crash:
    """An episode that was not ingested for a reason that lies in the program or the machine, not in its recording."""

    episode: str
    reason: str
    """One sentence: the exception, or what ended the process."""
    remedy: str | None = None
    """What can be done about it."""
    details: str = ""
    """The traceback, where there is one."""


def attempt(request: IngestRequest) -> IngestOutcome | Crash:
    """Ingest one episode; an exception becomes a `Crash`, so that the other episodes go on."""
    try:
        return ingest(request)
    except Exception as err:  # noqa: BLE001 - a fault of ours in one episode must not end a batch of hundreds
        reason = f"bagmill failed with {type(err).__name__}: {err}."
        remedy = "Report it as a fault of bagmill, with the traceback in the run's log"
        return Crash(request.episode, reason, remedy, traceback.format_exc())


def main() -> None:
    """Answer requests until the other end of the socket, whose descriptor is the argument, is closed."""
    pipe = Connection(int(sys.argv[1]))
    threading.Thread(target=_exit_with_parent, args=(pipe.fileno(),), daemon=True).start()
    while True:
        try:
            request = pipe.recv()
        except EOFError:
            return
        pipe.send(attempt(request))


def _exit_with_parent(descriptor: int) -> None:
    """End this process in the middle of its work when the one that asked for it is gone."""
    hang_up = select.poll()
    hang_up.register(descriptor, 0)  # no events asked for: only that the other end was closed is reported
    hang_up.poll()
    os._exit(1)
