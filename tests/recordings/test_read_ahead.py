"""Steps come in order whatever the threads do, and no more is loaded than is asked for."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from functools import partial

import pytest

from bagmill.recordings.read_ahead import read_ahead


def _steps(num: int, load: Callable[[int], int]) -> Iterator[tuple[int, Callable[[], int] | None, int]]:
    for step in range(num):
        yield step, None if step % 3 == 2 else partial(load, step), 1


@pytest.mark.parametrize("num_threads", [1, 2, 5])
def test_order_is_kept_when_later_loads_are_faster(num_threads: int) -> None:
    def load(step: int) -> int:
        time.sleep(0.002 * (step % 2 == 0))
        return step * step

    expected = [(step, None if step % 3 == 2 else step * step) for step in range(40)]
    assert list(read_ahead(_steps(40, load), num_threads=num_threads)) == expected


def test_no_more_than_one_load_a_thread_is_ahead() -> None:
    loaded: list[int] = []
    for step, _ in read_ahead(((step, partial(loaded.append, step), 1) for step in range(50)), num_threads=3):
        assert max(loaded) <= step + 3


def test_no_more_bytes_than_wanted_are_ahead() -> None:
    loaded: list[int] = []
    steps = ((step, partial(loaded.append, step), 40 if step else 500) for step in range(30))
    for step, _ in read_ahead(steps, num_threads=8, most_bytes=100):
        assert not loaded or max(loaded) <= step + 2


def test_an_error_comes_at_its_own_step() -> None:
    def load(step: int) -> int:
        if step == 4:
            raise OSError("the disk")
        return step

    steps = read_ahead(_steps(10, load), num_threads=2)
    assert [next(steps)[0] for _ in range(4)] == [0, 1, 2, 3]
    with pytest.raises(OSError, match="the disk"):
        next(steps)


def test_threads_end_with_whoever_follows() -> None:
    before = threading.active_count()
    steps = read_ahead(_steps(1000, lambda step: step), num_threads=4)
    next(steps)
    assert threading.active_count() > before
    steps.close()
    assert threading.active_count() == before
