"""Which messages stand in order, and that a step of the clock never shuffles two moments together."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.alignment import RULES
from bagmill.alignment.order import StampOrder, steps_back
from tests.alignment.looped_order import looped_order

EPOCH_NS = 1_700_000_000_123_456_789
LIMITS = np.iinfo(np.int64)


def kinds_of(stamps: list[int]) -> list[str]:
    order = StampOrder.of(np.array(stamps, dtype=np.int64))
    both = zip(order.is_stray.tolist(), order.is_overlapped.tolist(), strict=True)
    kinds = [" and ".join(w for w, is_so in (("stray", s), ("overlapped", o)) if is_so) or "in order" for s, o in both]
    assert order.is_in_order.tolist() == [kind == "in order" for kind in kinds]
    return kinds


@given(st.lists(st.one_of(st.integers(0, 12), st.sampled_from([LIMITS.min, LIMITS.max, EPOCH_NS])), max_size=16))
def test_order_is_as_defined(stamps: list[int]) -> None:
    assert kinds_of(stamps) == looped_order(stamps)


@pytest.mark.parametrize(
    ("stamps", "strays", "overlapped", "steps"),
    [
        ([10, 20, 20, 30], [], [], []),
        ([10, 20, 0, 30, 40], [2], [], []),  # one stamp that was not set
        ([10, 20, 90, 30, 40], [2], [], []),
        ([10, 30, 20, 40], [1, 2], [], []),  # one overtook the other
        ([10, 20, 20, 5, 5, 30], [3, 4], [], []),
        ([10, 20, 30, 40, 15, 25, 35, 45], [], [1, 2, 3, 4, 5, 6], [4]),
        ([10, 20, 30, 40, 20, 30, 40, 50], [], [1, 2, 3, 4, 5, 6], [4]),
        ([60, 70, 80, 10, 20, 30], [], [0, 1, 2, 3, 4, 5], [3]),  # by more than all that was recorded
        ([10, 20, 99, 10, 20, 30], [], [0, 1, 2, 3, 4, 5], [3]),
        ([10, 20, 30, 20, 40], [2, 3], [1, 3], []),  # a message came twice
    ],
)
def test_what_stands_out_of_order(
    stamps: list[int], strays: list[int], overlapped: list[int], steps: list[int]
) -> None:
    order = StampOrder.of(np.array(stamps, dtype=np.int64))
    assert np.flatnonzero(order.is_stray).tolist() == strays
    assert np.flatnonzero(order.is_overlapped).tolist() == overlapped
    assert [row for row, _ in steps_back(np.array(stamps, dtype=np.int64), order)] == steps


@st.composite
def stepped_clocks(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """True times of messages, and their stamps by a clock that is set, once or twice, back or forward."""
    intervals = draw(st.lists(st.integers(0, 12), min_size=1, max_size=30))
    true = np.cumsum(intervals)
    stamps = true.copy()
    for _ in range(draw(st.integers(1, 2))):
        place = draw(st.integers(0, len(true) - 1))
        stamps[place:] -= draw(st.one_of(st.integers(-40, 40), st.sampled_from([-(10**15), 10**15])))
    return true.tolist(), stamps.tolist()


@pytest.mark.parametrize("rule", ["nearest", "latest", "linear", "angle"])
@given(clock=stepped_clocks(), phase=st.integers(0, 5), tolerance=st.sampled_from([3, 12, 40, 10**18]))
def test_a_step_of_the_clock_never_mixes_moments(
    rule: str, clock: tuple[list[int], list[int]], phase: int, tolerance: int
) -> None:
    true, stamps = clock
    # From around the first stamp to around the last, and around the step.
    ticks = np.unique(np.concatenate([np.arange(-8, 9, 5) + stamp + phase for stamp in stamps]))
    aligned = RULES[rule].select(np.array(stamps), ticks, tolerance_ns=tolerance)
    is_valid = aligned.is_valid
    before, after = aligned.before[is_valid], aligned.after[is_valid]
    # What is told back by sequence never goes back, whatever feeds a tick.
    assert (np.diff(before) >= 0).all()
    assert (np.diff(after) >= 0).all()
    # A value is one message's, or of two that were recorded one after the other, and lies between theirs.
    equal = np.array(stamps)
    assert all(b == a or (equal[b + 1 : a] == equal[a]).all() for b, a in zip(before, after, strict=True))
    moments = np.array(true, dtype=np.float64)[:, np.newaxis]
    values = RULES["linear"].combine(moments[before], moments[after], aligned.weight[is_valid])[:, 0]
    rounding = 1e-9 * max(1, true[-1])
    assert (values >= moments[before, 0] - rounding).all()
    assert (values <= moments[after, 0] + rounding).all()
    # In time, too: values that are true in the order of recording do not go back.
    assert (np.diff(values) >= -rounding).all()


@pytest.mark.parametrize("rule", list(RULES))
def test_ticks_before_and_behind_the_overlap_are_fed(rule: str) -> None:
    """100 Hz for 2 s, set back by 0.25 s in the middle: 25 messages were recorded in the time of 25 others."""
    true = np.arange(200, dtype=np.int64) * 10_000_000
    stamps = true - np.where(true >= 1_000_000_000, 250_000_000, 0)
    ticks = EPOCH_NS + np.arange(0, 1_740_000_001, 20_000_000, dtype=np.int64)
    aligned = RULES[rule].select(EPOCH_NS + stamps, ticks, tolerance_ns=50_000_000)
    lost = ticks[~aligned.is_valid] - EPOCH_NS
    assert lost.tolist() == list(range(760_000_000, 1_000_000_000, 20_000_000))
    behind = ticks - EPOCH_NS > 990_000_000
    assert (true[aligned.before[behind]] == ticks[behind] - EPOCH_NS + 250_000_000).all()


def test_two_that_overtook_each_other_cost_their_own_ticks() -> None:
    stamps = np.arange(100, dtype=np.int64) * 10
    stamps[[50, 51]] = stamps[[51, 50]]
    nearest = RULES["nearest"].select(stamps, np.arange(0, 991, 10), tolerance_ns=4)
    assert np.flatnonzero(~nearest.is_valid).tolist() == [50, 51]
    linear = RULES["linear"].select(stamps, np.arange(5, 990, 10), tolerance_ns=10)
    assert np.flatnonzero(~linear.is_valid).tolist() == [49, 50, 51]
