"""Who does the work: the seam between Dagster's step and the engine that ingests episodes.

An asset hands all its requests over at once and takes the results as they come. Another engine (a cluster's scheduler,
say) is another subclass of `Workers`; nothing else changes.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Generator, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Final

import dagster as dg

from bagmill.cores import usable_cores
from bagmill.ingest import IngestOutcome, IngestRequest
from resources.worker_process import Crash, attempt

_ROOT: Final = str(Path(__file__).resolve().parents[1])

Results = Generator[IngestOutcome | Crash, None, None]


class Workers(dg.ConfigurableResource[None], ABC):
    """An engine that ingests episodes."""

    @abstractmethod
    def ingest_all(self, requests: Sequence[IngestRequest]) -> Results:
        """Ingest episodes, in whatever order they are done; exactly one result a request, none raised.

        Closing the iterator ends the work that is under way.
        """


class LocalWorkers(Workers):
    """Processes on this machine."""

    processes: int | None = None
    """Episodes made at once; None: one a core."""
    threads: int | None = None
    """Threads that encode, per episode; None: the cores, shared out evenly."""

    def ingest_all(self, requests: Sequence[IngestRequest]) -> Results:
        """As `Workers.ingest_all`; one request, or one process, is worked in this process."""
        num_cores = usable_cores()
        num_processes = min(self.processes or num_cores, len(requests))
        num_threads = self.threads or max(1, num_cores // max(1, num_processes))
        requests = [replace(request, num_threads=request.num_threads or num_threads) for request in requests]
        if num_processes <= 1:
            yield from map(attempt, requests)
        else:
            yield from _ingest_in_processes(requests, num_processes)


@dataclass(frozen=True, slots=True)
class _Worker:
    process: subprocess.Popen[bytes]
    pipe: Connection


def _ingest_in_processes(requests: Sequence[IngestRequest], num_processes: int) -> Results:
    waiting = deque(requests)
    workers: list[_Worker] = []
    busy: dict[_Worker, IngestRequest] = {}

    def give_work(worker: _Worker) -> None:
        if waiting:
            request = waiting.popleft()
            try:
                worker.pipe.send(request)
            except OSError:  # it died while it had nothing to do: the request is not to blame
                waiting.appendleft(request)
            else:
                busy[worker] = request

    try:
        while waiting or busy:
            while waiting and len(busy) < num_processes:
                workers.append(_start_worker())
                give_work(workers[-1])
            results: list[IngestOutcome | Crash] = []
            ready = wait([worker.pipe for worker in busy])
            for worker in [worker for worker in busy if worker.pipe in ready]:
                request = busy.pop(worker)
                try:
                    results.append(worker.pipe.recv())
                except (EOFError, OSError):
                    results.append(_crash_of(worker, request))
                else:
                    give_work(
                        worker
                    )  # before the results are told of: that takes a while, and the worker need not wait
            yield from results
    finally:
        for worker in workers:
            worker.pipe.close()
            worker.process.kill()
            worker.process.wait()


def _start_worker() -> _Worker:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own program under our own interpreter
            [sys.executable, "-P", "-c", "from resources.worker_process import main; main()", str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            # The first path is ours: Dagster has it in `sys.path` only while it loads the definitions.
            env={**os.environ, "PYTHONPATH": os.pathsep.join([_ROOT, *filter(None, sys.path)])},
            process_group=0,  # a Ctrl-C in the terminal is for us; we end the workers
        )
    return _Worker(process, Connection(ours.detach()))


def _crash_of(worker: _Worker, request: IngestRequest) -> Crash:
    code = worker.process.wait()
    if code >= 0:
        return Crash(request.episode, f"its worker process ended with exit status {code}.", "See the run's output")
    is_killed = code == -signal.SIGKILL
    return Crash(
        request.episode,
        f"its worker process was ended by {signal.Signals(-code).name}.",
        "The machine may be out of memory: try fewer processes" if is_killed else None,
    )
