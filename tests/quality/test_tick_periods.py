"""Tick periods that messages fall into."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.quality.tick_periods import count_periods, spread_stamps

MS = 1_000_000
EPOCH_NS = 1_700_000_000_000_000_000


@pytest.mark.parametrize(
    ("stamps_ms", "periods"),
    [
        ([], (0, 0)),
        ([7], (1, 1)),
        ([7, 7, 7], (1, 1)),
        ([0, 150, 250, 350], (4, 4)),
        ([0, 10, 20, 1000, 1010, 1020], (2, 2)),  # bursts
        (list(range(0, 1000, 1)), (10, 11)),  # faster than the ticks
        ([0, 99, 201, 299, 401, 499], (3, 6)),  # at the ticks' rate, where one period meets the next
        ([401, 0, 299, 99, 499, 201], (3, 6)),
    ],
)
def test_periods_at_ten_ticks_a_second(stamps_ms: list[int], periods: tuple[int, int]) -> None:
    stamps = EPOCH_NS + MS * np.array(stamps_ms, dtype=np.int64)
    assert count_periods(stamps, rate_hz=10) == periods


def test_the_widest_stamps_are_counted() -> None:
    limits = np.iinfo(np.int64)
    assert count_periods(np.array([limits.min, 0, limits.max]), rate_hz=1) == (3, 3)


def test_the_last_moment_lasts_as_long_as_usual() -> None:
    stamps = np.array([0, 0, 100, 100, 200, 200, 200])
    spread = spread_stamps(stamps)
    assert spread is not None
    assert spread.tolist() == [0, 50, 100, 150, 200, 250, 300]
    assert spread_stamps(np.array([5, 5, 5])) is None
    assert spread_stamps(np.array([], dtype=np.int64)) is None


@given(st.lists(st.integers(0, 50), min_size=2, max_size=30))
def test_spread_stamps_stay_between_those_that_differ(stamps: list[int]) -> None:
    known = np.array(sorted(stamps), dtype=np.int64) * 1000
    spread = spread_stamps(known)
    if len(set(stamps)) < 2:
        assert spread is None
        return
    assert spread is not None
    assert (np.diff(spread) > 0).all()
    assert np.isin(np.unique(known), spread).all()
    before_last = known < known[-1]
    assert (spread[before_last] < known[-1]).all()
