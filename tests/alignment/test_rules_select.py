"""Which messages a rule takes, against loops that look at every message for every tick."""

from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from bagmill.alignment import RULES, AlignedFeature
from tests.alignment.looped_order import looped_order

EPOCH_NS = 1_700_000_000_123_456_789
INTERPOLATING = ["linear", "slerp", "angle"]

# Few distinct stamps near each other: repeats, exact hits and ties are frequent.
offsets = st.integers(-40, 40)
bases = st.sampled_from([0, 50, EPOCH_NS, 2**62])


@st.composite
def streams(draw: st.DrawFn) -> tuple[NDArray[np.int64], NDArray[np.int64], int]:
    base = draw(bases)
    stamps = draw(st.lists(offsets, max_size=25))
    wild = draw(st.lists(st.sampled_from([-base, 2**62 - base, -(2**63) - base]), max_size=2))
    if draw(st.booleans()):
        stamps = sorted(stamps)
    ticks = sorted(draw(st.sets(offsets, max_size=20)))
    tolerance = draw(st.sampled_from([0, 1, 2, 5, 17, 10**6, 10**18]))
    return (
        np.array([base + n for n in [*stamps, *wild]], dtype=np.int64),
        np.array([base + n for n in ticks], dtype=np.int64),
        tolerance,
    )


def last_at(stamps: list[int], stamp: int) -> int:
    """The message that counts at a stamp: the one recorded last."""
    return max(row for row, other in enumerate(stamps) if other == stamp)


def first_at(stamps: list[int], stamp: int) -> int:
    return stamps.index(stamp)


def if_in_order(stamps: list[int], stamp: int | None) -> tuple[int, int] | None:
    """The (row, stamp) that feeds a tick for which a stamp was chosen."""
    if stamp is None or looped_order(stamps)[last_at(stamps, stamp)] != "in order":
        return None
    return last_at(stamps, stamp), stamp


def check_valid(aligned: AlignedFeature, ticks: NDArray[np.int64], expected: list[tuple[int, int] | None]) -> None:
    """`expected`: (row, stamp) of the message behind each tick, for rules that take one message."""
    assert aligned.is_valid.tolist() == [e is not None for e in expected]
    assert aligned.before.tolist() == [-1 if e is None else e[0] for e in expected]
    assert aligned.after.tolist() == aligned.before.tolist()
    assert aligned.source_ns.tolist() == [
        int(tick) if e is None else e[1] for tick, e in zip(ticks, expected, strict=True)
    ]
    assert not aligned.weight.any()
    assert not aligned.is_interpolated.any()


@given(streams())
def test_latest_is_the_last_message_up_to_the_tick(stream: tuple[NDArray[np.int64], NDArray[np.int64], int]) -> None:
    stamps, ticks, tolerance = stream
    aligned = RULES["latest"].select(stamps, ticks, tolerance_ns=tolerance)
    known = stamps.tolist()
    expected: list[tuple[int, int] | None] = []
    for tick in ticks.tolist():
        past = [stamp for stamp in known if stamp <= tick and tick - stamp <= tolerance]
        expected.append(if_in_order(known, max(past, default=None)))
    check_valid(aligned, ticks, expected)
    assert (aligned.source_ns <= ticks).all()  # never from the future


@given(streams())
def test_nearest_is_the_nearest_and_the_earlier_of_two(
    stream: tuple[NDArray[np.int64], NDArray[np.int64], int],
) -> None:
    stamps, ticks, tolerance = stream
    aligned = RULES["nearest"].select(stamps, ticks, tolerance_ns=tolerance)
    known = stamps.tolist()
    expected: list[tuple[int, int] | None] = []
    for tick in ticks.tolist():
        near = [stamp for stamp in known if abs(stamp - tick) <= tolerance]
        expected.append(if_in_order(known, min(near, key=lambda stamp: (abs(stamp - tick), stamp), default=None)))
    check_valid(aligned, ticks, expected)


@pytest.mark.parametrize("rule", INTERPOLATING)
@given(stream=streams())
def test_interpolation_takes_both_neighbours(
    rule: str, stream: tuple[NDArray[np.int64], NDArray[np.int64], int]
) -> None:
    stamps, ticks, tolerance = stream
    aligned = RULES[rule].select(stamps, ticks, tolerance_ns=tolerance)
    known = stamps.tolist()
    kinds = looped_order(known)
    for n, tick in enumerate(ticks.tolist()):
        got = {field.name: getattr(aligned, field.name)[n].item() for field in fields(AlignedFeature)}
        past = max((stamp for stamp in known if stamp <= tick), default=None)
        future = min((stamp for stamp in known if stamp > tick), default=None)
        is_past_sound = past is not None and kinds[last_at(known, past)] == "in order"
        is_future_sound = future is not None and kinds[last_at(known, future)] == "in order"
        if past == tick and is_past_sound:
            row = last_at(known, tick)
            want = {"before": row, "after": row, "source_ns": tick, "is_valid": True, "is_interpolated": False}
            want["weight"] = 0.0
        elif (
            past is not None
            and future is not None
            and past != tick
            and future - past <= tolerance
            and is_past_sound
            and is_future_sound
            and first_at(known, future) == last_at(known, past) + 1
        ):
            want = {"before": last_at(known, past), "after": last_at(known, future)}
            want |= {"source_ns": past if tick - past <= future - tick else future}
            want |= {"is_valid": True, "is_interpolated": True}
            want["weight"] = pytest.approx((tick - past) / (future - past), rel=1e-15)
            assert 0 < got["weight"] < 1
        else:
            want = {"before": -1, "after": -1, "source_ns": tick, "is_valid": False, "is_interpolated": False}
            want["weight"] = 0.0
        assert got == want


@pytest.mark.parametrize("rule", list(RULES))
def test_an_empty_stream_feeds_nothing(rule: str) -> None:
    ticks = np.array([EPOCH_NS, EPOCH_NS + 5], dtype=np.int64)
    aligned = RULES[rule].select(np.array([], dtype=np.int64), ticks, tolerance_ns=10**12)
    assert aligned.is_valid.tolist() == [False, False]
    assert aligned.before.tolist() == [-1, -1]
    assert aligned.source_ns.tolist() == ticks.tolist()


@pytest.mark.parametrize("rule", list(RULES))
def test_dtypes_are_the_contracts(rule: str) -> None:
    ticks = np.array([EPOCH_NS, EPOCH_NS + 5], dtype=np.int64)
    aligned = RULES[rule].select(ticks[:1], ticks, tolerance_ns=10)
    kinds = {field.name: getattr(aligned, field.name).dtype for field in fields(AlignedFeature)}
    assert kinds == {
        "before": np.int64,
        "after": np.int64,
        "weight": np.float64,
        "source_ns": np.int64,
        "is_valid": np.bool_,
        "is_interpolated": np.bool_,
    }


def test_the_weight_is_exact_at_the_epoch() -> None:
    # As floats these stamps would all be 256 ns apart or equal.
    stamps = np.array([EPOCH_NS, EPOCH_NS + 4], dtype=np.int64)
    aligned = RULES["linear"].select(stamps, stamps[:1] + 1, tolerance_ns=4)
    assert aligned.weight.tolist() == [0.25]


def test_a_gap_one_nanosecond_over_the_tolerance_is_not_bridged() -> None:
    stamps = np.array([EPOCH_NS, EPOCH_NS + 50_000_000], dtype=np.int64)
    ticks = np.array([EPOCH_NS + 1], dtype=np.int64)
    assert RULES["linear"].select(stamps, ticks, tolerance_ns=50_000_000).is_valid.tolist() == [True]
    assert RULES["linear"].select(stamps, ticks, tolerance_ns=49_999_999).is_valid.tolist() == [False]


def test_half_way_between_two_messages_the_earlier_is_the_source() -> None:
    stamps = np.array([EPOCH_NS, EPOCH_NS + 10], dtype=np.int64)
    ticks = stamps[:1] + np.array([4, 5, 6])
    for rule in ("nearest", *INTERPOLATING):
        aligned = RULES[rule].select(stamps, ticks, tolerance_ns=10)
        assert (aligned.source_ns - EPOCH_NS).tolist() == [0, 0, 10]
