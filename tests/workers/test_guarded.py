"""Work in a child process: what it gives comes back, and what it does to its process stays there."""

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bagmill.errors import BagmillError, LimitError, RecordingError
from bagmill.limits import Limits, limits, set_limits
from bagmill.streams import scan
from bagmill.workers import end_servers, run_guarded
from tests.processes import is_alive
from tests.workers import faults

HALF_A_GIB = 1 << 29


@pytest.fixture(autouse=True)
def _strict_limits() -> Iterator[None]:
    before = limits()
    set_limits(Limits(episode_memory_bytes=HALF_A_GIB, episode_silent_s=20))
    yield
    set_limits(before)


def _refusal(function: Callable[..., Any], *arguments: Any) -> str:
    with pytest.raises(RecordingError) as refused:
        run_guarded(function, *arguments, what="run.mcap")
    text = str(refused.value)
    if log := re.search(r"kept in (\S+)\.$", text):
        Path(log[1]).unlink()
    return text


def test_what_a_child_returns_comes_back_and_so_does_an_error_of_ours(tmp_path: Path) -> None:
    assert run_guarded(faults.double, 21, what="run.mcap") == 42
    with pytest.raises(RecordingError) as refused:
        run_guarded(scan, tmp_path / "missing.mcap", what="run.mcap")
    assert refused.value.path == tmp_path / "missing.mcap"


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (faults.segfault, r"crashed with a segmentation fault \(SIGSEGV\)"),
        (faults.abort, r"crashed with an abort \(SIGABRT\)"),
        (faults.recurse, r"nested too deeply to be followed \(RecursionError\)"),
        (faults.leave, "ended with exit status 3"),
        (faults.be_killed, "ended by SIGKILL"),
        (faults.fail, "bagmill failed with KeyError: 'of ours'"),
        (faults.eat_memory, r"needed more than 0\.5 GiB of memory.*`episode_memory_bytes` under `limits`"),
        (faults.eat_memory_in_c, r"needed more than 0\.5 GiB of memory"),
        (faults.eat_memory_until_it_crashes, r"needed more than 0\.5 GiB of memory"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_each_fault_is_told_apart_and_costs_nothing_else(fault: Callable[..., Any], sentence: str) -> None:
    assert re.search(f"run.mcap: .*{sentence}", _refusal(fault))
    assert run_guarded(faults.double, 2, what="run.mcap") == 4


@pytest.mark.parametrize(("fault", "doing"), [(faults.spin, "computed"), (faults.wait, "waited")])
def test_a_child_that_comes_no_further_is_ended(fault: Callable[..., Any], doing: str) -> None:
    assert run_guarded(faults.double, 2, what="run.mcap") == 4  # the server is there, and has imported the module
    set_limits(Limits(episode_silent_s=2))
    assert f"run.mcap: made no progress for 2 s, in which it {doing}" in _refusal(fault)


def test_progress_keeps_a_child_alive_and_the_same_again_is_none() -> None:
    said: list[tuple[Any, ...]] = []

    def hear(*step: Any) -> None:
        said.append(step)

    set_limits(Limits(episode_silent_s=2))
    assert run_guarded(faults.come_further, 8, 0.4, what="run.mcap", progress=hear) == 8
    assert said[-1] == ("work", 7, 8)
    assert run_guarded(faults.work_quietly, 8, 0.4, what="run.mcap") == 8
    assert "made no progress for 2 s, in which it waited, at work, 1 of 30 done" in _refusal(
        faults.stand_still, 30, 0.4
    )


def test_what_a_crashed_child_leaves_is_ended_and_removed(tmp_path: Path) -> None:
    note = tmp_path / "note"
    _refusal(faults.leave_things_behind, str(note))
    process, file = note.read_text(encoding="utf-8").split()
    assert not Path(file).exists()
    deadline = time.monotonic() + 10
    while is_alive(int(process)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_limit_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(LimitError) as refused:
        run_guarded(faults.above_a_limit, what="run.mcap")
    assert refused.value.limit == "pixels"
    assert "set a higher `pixels`" in str(refused.value)


def test_the_limits_of_the_one_who_asks_hold_for_the_child() -> None:
    set_limits(Limits(nesting=7))
    assert run_guarded(faults.nesting, what="run.mcap") == 7


def test_a_server_that_was_ended_is_followed_by_another() -> None:
    end_servers()
    (server,) = {run_guarded(faults.parent, what="run.mcap") for _ in range(2)}
    os.kill(server, 9)
    assert run_guarded(faults.parent, what="run.mcap") != server


def test_threads_may_ask_at_the_same_time() -> None:
    found: list[int] = []

    def ask(number: int) -> None:
        found.append(run_guarded(faults.double, number, what="run.mcap"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [0, 2, 4, 6]
    end_servers()


@pytest.mark.slow
def test_a_thousand_children_that_load_everything_all_end(tmp_path: Path) -> None:
    set_limits(Limits())
    for number in range(1000):
        assert run_guarded(faults.use_all, number, what="run.mcap") == number


def test_errors_that_are_sent_keep_all_they_say() -> None:
    import pickle

    error = LimitError("pixels", "a picture has 7", path="run.mcap", channel="/camera")
    again = pickle.loads(pickle.dumps(error))  # noqa: S301 - our own
    assert isinstance(again, BagmillError)
    assert (type(again), str(again), again.limit, again.channel) == (LimitError, str(error), "pixels", "/camera")
