"""The local worker processes: what comes back, and what one that dies or fails costs the others."""

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bagmill.ingest import IngestOutcome, IngestRequest
from bagmill.profile import parse_profile
from bagmill.testing import Settings, healthy, small_profile
from bagmill.workers import Crash
from pipelines.deployment import ROOT
from resources.workers import LocalWorkers
from tests.processes import is_alive, living_children

SHORT = Settings(num_frames=8)
LONG = Settings(num_frames=300)


def _requests(folder: Path, names: Sequence[str], *, settings: Settings = SHORT) -> list[IngestRequest]:
    profile = parse_profile(small_profile())
    return [
        IngestRequest(
            episode=name,
            recording=healthy(folder / f"{name}.mcap", settings=settings),
            dataset=folder / "dataset",
            profile=profile,
            until="timeline",
        )
        for name in names
    ]


def _workers_of(parent: int) -> list[int]:
    """The processes of episodes: children of the servers, which are children of the process that asks."""
    servers = living_children(parent, program="server_process")
    return [worker for each in servers for worker in living_children(each, program="")]


def _wait_for(condition: Callable[[], Any], *, seconds: float = 120) -> Any:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    pytest.fail("it did not come about in time")


@pytest.mark.parametrize("processes", [1, 2])
def test_every_request_is_answered_once(tmp_path: Path, processes: int) -> None:
    requests = _requests(tmp_path, "abcde")
    results = list(LocalWorkers(processes=processes).ingest_all(requests))
    assert sorted(result.episode for result in results) == list("abcde")
    assert all(isinstance(result, IngestOutcome) and result.refusal is None for result in results)
    _wait_for(lambda: not _workers_of(os.getpid()))


def test_no_request_no_process() -> None:
    assert list(LocalWorkers().ingest_all([])) == []


@pytest.mark.parametrize("processes", [1, 2])
def test_an_exception_nobody_foresaw_costs_one_episode(tmp_path: Path, processes: int) -> None:
    requests = _requests(tmp_path, "abc")
    requests[1] = IngestRequest(episode="b", recording=tmp_path, dataset=tmp_path, profile=None)  # type: ignore[arg-type]
    results = {result.episode: result for result in LocalWorkers(processes=processes).ingest_all(requests)}
    crash = results["b"]
    assert isinstance(crash, Crash)
    assert "AttributeError" in crash.reason
    assert "Traceback" in crash.details
    assert isinstance(results["a"], IngestOutcome)
    assert isinstance(results["c"], IngestOutcome)


def test_a_killed_worker_costs_one_episode(tmp_path: Path) -> None:
    requests = [replace(request, until="episode") for request in _requests(tmp_path, "abcde", settings=LONG)]

    def kill_one_at_work() -> None:
        os.kill(_wait_for(lambda: _encoding_workers(tmp_path))[0], signal.SIGKILL)

    killer = threading.Thread(target=kill_one_at_work)
    killer.start()
    results = list(LocalWorkers(processes=2).ingest_all(requests))
    killer.join()
    crashes = [result for result in results if isinstance(result, Crash)]
    assert [crash.reason for crash in crashes] == ["its worker process was ended by SIGKILL."]
    assert sorted(result.episode for result in results) == list("abcde")


def test_closing_the_iterator_ends_the_work(tmp_path: Path) -> None:
    results = LocalWorkers(processes=2).ingest_all(_requests(tmp_path, "abcdefgh"))
    next(results)
    assert _workers_of(os.getpid())
    results.close()
    assert _workers_of(os.getpid()) == []


_RUN = """
import pickle, sys
from resources.workers import LocalWorkers
list(LocalWorkers(processes=2).ingest_all(pickle.load(sys.stdin.buffer)))
"""


def test_workers_in_the_middle_of_something_end_with_a_run_that_is_killed(tmp_path: Path) -> None:
    requests = [replace(request, until="episode") for request in _requests(tmp_path, "ab", settings=LONG)]
    run = subprocess.Popen([sys.executable, "-c", _RUN], stdin=subprocess.PIPE, cwd=ROOT)
    assert run.stdin is not None
    run.stdin.write(pickle.dumps(requests))
    run.stdin.close()
    workers: list[int] = []
    while len(workers) < 2:
        (worker, *_) = _wait_for(lambda: [each for each in _encoding_workers(tmp_path) if each not in workers])
        os.kill(worker, signal.SIGSTOP)  # it waits, as it would for a disk that hangs, and never ends by itself
        workers.append(worker)
    run.kill()
    run.wait()
    _wait_for(lambda: not any(is_alive(worker) for worker in workers))


def _encoding_workers(folder: Path) -> list[int]:
    """An episode in the making lies in a folder that names the process at work on it."""
    return [int(path.name.split("-")[2]) for path in folder.rglob(".staging-*") if path.is_dir()]
