"""Where a clock was set, by its own stamps and beside another clock."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bagmill.alignment.order import StampOrder
from bagmill.quality.clock_steps import ClockStep, find_steps

MS = 1_000_000
EPOCH_NS = 1_700_000_000_000_000_000


def found(stamps: NDArray[np.int64], other: NDArray[np.int64] | None = None) -> list[tuple[int, int]]:
    """(row, change in ms) of every step."""
    return [(step.row, round(step.change_ns / MS)) for step in find_steps(stamps, StampOrder.of(stamps), other)]


def pair(*, num: int = 400, period_ms: float = 10, seed: int = 0) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Header stamps and log times: recorded 5 ms later, some much later."""
    header = EPOCH_NS + (np.arange(num) * period_ms * MS).astype(np.int64)
    late = np.random.default_rng(seed).exponential(2 * MS, num).astype(np.int64)
    return header, np.maximum.accumulate(header + 5 * MS + late)


def test_a_clock_that_is_not_set_has_no_step() -> None:
    header, log = pair()
    assert found(header, log) == []
    assert found(log, header) == []
    assert found(header) == []


@pytest.mark.parametrize("change_ms", [-90_000, -503, -150, 150, 700, 90_000])
@pytest.mark.parametrize("row", [5, 200, 394])
def test_a_step_is_found_where_it_is_and_by_how_much(change_ms: int, row: int) -> None:
    header, log = pair()
    header[row:] += change_ms * MS
    [(place, change)] = found(header, log)
    assert place == row
    assert change == pytest.approx(change_ms, abs=10)
    # The other clock was not set: under `log` the same recording has no step.
    assert found(log, header) == []


def test_without_another_clock_a_step_back_is_as_long_as_it_shows() -> None:
    header, _ = pair()
    header[200:] -= 500 * MS
    assert found(header) == [(200, -490)]
    header[200:] += 1000 * MS
    assert found(header) == []  # forward: nothing tells it from a pause


def test_every_step_is_counted() -> None:
    header, log = pair()
    header[100:] -= 400 * MS
    header[250:] += 900 * MS
    header[300:] -= 300 * MS
    assert [(row, round(change, -2)) for row, change in found(header, log)] == [(100, -400), (250, 900), (300, -300)]


def test_a_step_back_shorter_than_a_period_shows_by_the_other_clock() -> None:
    header, log = pair(num=60, period_ms=1000)
    header[30:] -= 400 * MS
    assert found(header) == []
    assert [row for row, _ in found(header, log)] == [30]


def test_messages_that_waited_are_no_step() -> None:
    header, log = pair()
    log[100:160] = np.maximum(log[100:160], log[160])  # a network that stood still for 0.6 s, and gave all at once
    assert found(header, log) == []
    assert found(log, header) == []


def test_a_pause_is_no_step() -> None:
    header, log = pair()
    header[200:] += 3000 * MS
    log[200:] += 3000 * MS
    assert found(header, log) == []


def test_a_simulation_that_was_paused_is_no_step() -> None:
    header, log = pair()
    log[200:] += 3000 * MS
    assert found(header, log) == []


def test_a_clock_that_drifts_or_is_noise_has_no_step() -> None:
    header, log = pair(num=4000)
    assert found(header, log + (header - header[0]) // 1000) == []
    noisy = np.sort(header + np.random.default_rng(1).integers(0, 3000 * MS, len(header)))
    assert found(noisy, header) == []


def test_a_message_out_of_order_by_itself_is_no_step() -> None:
    header, log = pair()
    header[[50, 51]] = header[[51, 50]]
    header[100] = 1
    assert found(header, log) == []


@given(st.integers(1, 29), st.integers(-(10**9), -12))
def test_a_step_back_of_more_than_a_period_is_never_missed(row: int, change: int) -> None:
    stamps = np.arange(30, dtype=np.int64) * 10
    stamps[row:] += change
    order = StampOrder.of(stamps)
    steps = find_steps(stamps, order, None)
    # Less than two periods back, or next to an end, a step looks like messages that overtook each other.
    assert steps == (ClockStep(row, change + 10),) or order.is_stray.any()
    assert not order.is_in_order.all()
