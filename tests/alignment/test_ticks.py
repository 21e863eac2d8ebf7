"""Ticks against the same sum in unbounded integers."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.alignment import count_ticks, make_ticks
from bagmill.errors import AlignmentError

EPOCH_NS = 1_700_000_000_123_456_789
RATES = st.one_of(
    st.sampled_from([Fraction(30), Fraction(30000, 1001), Fraction(2997, 100), Fraction(1, 7), Fraction(1000)]),
    st.fractions(min_value=Fraction(1, 10), max_value=10_000, max_denominator=10**12),
)


def tick(k: int, rate: Fraction) -> int:
    """ns from the first tick to tick k: half up."""
    return int((k * 1_000_000_000 / rate + Fraction(1, 2)).__floor__())


def expected(start_ns: int, end_ns: int, rate: Fraction) -> list[int]:
    ticks = []
    while (at := start_ns + tick(len(ticks), rate)) <= end_ns:
        ticks.append(at)
    return ticks


@given(start=st.integers(0, 2 * EPOCH_NS), num_periods=st.integers(0, 300), extra=st.integers(-2, 2), rate=RATES)
def test_every_tick_is_exact_and_the_end_counts(start: int, num_periods: int, extra: int, rate: Fraction) -> None:
    end = start + tick(num_periods, rate) + extra  # ends on a tick, or a hair to either side of it
    ticks = make_ticks(start, end, rate_hz=rate)
    assert ticks.dtype == np.int64
    assert ticks.tolist() == expected(start, end, rate)
    assert count_ticks(start, end, rate_hz=rate) == len(ticks)


def test_the_known_ticks_of_30_hz() -> None:
    assert make_ticks(5, 5 + 100_000_000, rate_hz=Fraction(30)).tolist() == [5, 33_333_338, 66_666_672, 100_000_005]


@pytest.mark.parametrize("rate", [Fraction(1000), Fraction(999_999, 1001), Fraction("29.970029970029969")])
def test_a_day_of_ticks_does_not_drift_or_overflow(rate: Fraction) -> None:
    day = 24 * 3600 * 1_000_000_000
    if rate > 100:
        day //= 20  # more than an hour of a kilohertz
    ticks = make_ticks(EPOCH_NS, EPOCH_NS + day, rate_hz=rate)
    for k in (0, 1, 4095, 4096, 4097, len(ticks) // 2, len(ticks) - 1):
        assert int(ticks[k]) == EPOCH_NS + tick(k, rate)
    assert EPOCH_NS + tick(len(ticks), rate) > EPOCH_NS + day
    periods = np.diff(ticks)
    assert periods.max() - periods.min() <= 1


def test_ticks_that_fall_between_two_nanoseconds_are_rounded_up_in_every_block() -> None:
    rate = Fraction(6_000_000_000, 200_000_003)  # a sixth of the ticks are half a nanosecond off
    ticks = make_ticks(0, tick(10_000, rate), rate_hz=rate)
    assert ticks.tolist() == [tick(k, rate) for k in range(10_001)]


def test_nothing_where_the_end_lies_before_the_start() -> None:
    assert make_ticks(10, 9, rate_hz=Fraction(30)).tolist() == []
    assert make_ticks(10, 10, rate_hz=Fraction(30)).tolist() == [10]


def test_a_rate_of_too_many_digits_is_refused() -> None:
    with pytest.raises(AlignmentError, match="30000/1001"):
        make_ticks(0, 10**9, rate_hz=Fraction("29.97002997002997002997"))
