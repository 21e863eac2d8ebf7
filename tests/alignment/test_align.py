"""The span that streams share, and what makes a timeline impossible."""

from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import NDArray

from bagmill.alignment import RULES, AlignmentRequest, align
from bagmill.errors import AlignmentError, RegistryError

START_NS = 1_700_000_000_000_000_000
MS = 1_000_000


def stamps(*, first_ms: int, last_ms: int, step_ms: int) -> NDArray[np.int64]:
    return START_NS + MS * np.arange(first_ms, last_ms + 1, step_ms, dtype=np.int64)


def request(
    stamps_ns: NDArray[np.int64], *, rule: str = "nearest", tolerance_ms: int = 50, is_required: bool = True
) -> AlignmentRequest:
    return AlignmentRequest(stamps_ns, rule, tolerance_ns=tolerance_ms * MS, is_required=is_required)


def test_the_timeline_is_what_the_required_streams_share() -> None:
    requests = {
        "images/wrist": request(stamps(first_ms=100, last_ms=1000, step_ms=100)),
        "state": request(stamps(first_ms=0, last_ms=850, step_ms=10), rule="linear"),
        "gps": request(stamps(first_ms=400, last_ms=500, step_ms=100), rule="latest", is_required=False),
    }
    timeline = align(requests, rate_hz=Fraction(10))
    assert ((timeline.time_ns - START_NS) // MS).tolist() == [100, 200, 300, 400, 500, 600, 700, 800]
    assert timeline.num_ticks == 8
    assert timeline.duration_ns == 700 * MS
    assert timeline.features["images/wrist"].before.tolist() == list(range(8))
    assert timeline.features["state"].before.tolist() == [10, 20, 30, 40, 50, 60, 70, 80]
    # 450 ms and later: 500 ms is still the latest within 50 ms at the tick of 500 only.
    assert timeline.features["gps"].is_valid.tolist() == [False, False, False, True, True, False, False, False]
    assert list(timeline.features) == list(requests)
    assert timeline.skew_ns("images/wrist").tolist() == [0] * 8


def test_features_are_laid_as_their_own_rule_says() -> None:
    stream = stamps(first_ms=0, last_ms=300, step_ms=40)
    requests = {name: request(stream, rule=name) for name in RULES}
    timeline = align(requests, rate_hz=Fraction(100))
    for name, rule in RULES_BY_NAME.items():
        alone = rule.select(stream, timeline.time_ns, tolerance_ns=50 * MS)
        assert timeline.features[name].before.tolist() == alone.before.tolist()
        assert timeline.features[name].is_interpolated.any() == rule.is_interpolating


RULES_BY_NAME = {name: RULES[name] for name in RULES}


def test_shuffled_streams_feed_nothing() -> None:
    stream = stamps(first_ms=0, last_ms=500, step_ms=20)
    order = np.random.default_rng(0).permutation(len(stream))
    timeline = align({"state": request(stream[order])}, rate_hz=Fraction(30))
    assert timeline.num_ticks == 16
    assert not timeline.features["state"].is_valid.any()


def test_streams_that_touch_in_one_instant_share_one_tick() -> None:
    timeline = align(
        {
            "a": request(stamps(first_ms=0, last_ms=100, step_ms=10)),
            "b": request(stamps(first_ms=100, last_ms=200, step_ms=10)),
        },
        rate_hz=Fraction(30),
    )
    assert timeline.time_ns.tolist() == [START_NS + 100 * MS]


def test_all_features_count_where_none_is_required() -> None:
    requests = {
        "a": request(stamps(first_ms=0, last_ms=500, step_ms=10), is_required=False),
        "b": request(stamps(first_ms=200, last_ms=900, step_ms=10), is_required=False),
    }
    timeline = align(requests, rate_hz=Fraction(10))
    assert ((timeline.time_ns - START_NS) // MS).tolist() == [200, 300, 400, 500]


def test_an_optional_feature_without_messages_is_invalid_throughout() -> None:
    nothing = np.array([], dtype=np.int64)
    requests = {
        "a": request(stamps(first_ms=0, last_ms=100, step_ms=10)),
        "b": request(nothing, rule="linear", is_required=False),
    }
    assert not align(requests, rate_hz=Fraction(10)).features["b"].is_valid.any()


def test_no_time_in_common_names_who_starts_after_whom() -> None:
    requests = {
        "state": request(stamps(first_ms=0, last_ms=800, step_ms=10)),
        "images/wrist": request(stamps(first_ms=4000, last_ms=5000, step_ms=10)),
        "action": request(stamps(first_ms=0, last_ms=5000, step_ms=10)),
    }
    with pytest.raises(
        AlignmentError, match=r"images/wrist starts 3\.200 s after state has ended .* clock.* `required: false`"
    ):
        align(requests, rate_hz=Fraction(30))


def test_clocks_of_different_eras_are_told_in_years() -> None:
    requests = {
        "a": request(stamps(first_ms=0, last_ms=800, step_ms=10)),
        "b": request(stamps(first_ms=0, last_ms=800, step_ms=10) - START_NS),
    }
    with pytest.raises(AlignmentError, match=r"a starts 1,699,999,999 s \(53\.9 years\) after b has ended"):
        align(requests, rate_hz=Fraction(30))


def test_required_features_without_messages_are_named() -> None:
    nothing = np.array([], dtype=np.int64)
    requests = {"a": request(nothing), "b": request(stamps(first_ms=0, last_ms=9, step_ms=1)), "c": request(nothing)}
    with pytest.raises(AlignmentError, match="no messages for feature a, feature c"):
        align(requests, rate_hz=Fraction(30))


def test_nothing_to_align() -> None:
    with pytest.raises(AlignmentError, match="no feature"):
        align({}, rate_hz=Fraction(30))


def test_one_message_at_time_zero_is_named_not_divided_by() -> None:
    stream = stamps(first_ms=0, last_ms=1000, step_ms=10)
    with pytest.raises(
        AlignmentError,
        match=r"feature state has one message at 0 ns and the next 1,700,000,000 s \(53\.9 years\) later, at "
        r"1700000000000000000 ns.*51,000,000,031 ticks.*clock",
    ):
        align({"state": request(np.append(stream, 0))}, rate_hz=Fraction(30))


def test_stamps_from_the_far_future_are_named() -> None:
    stream = stamps(first_ms=0, last_ms=1000, step_ms=10)
    wild = np.array([START_NS + 3 * 86_400 * 10**9, START_NS + 3 * 86_400 * 10**9 + 5], dtype=np.int64)
    requests = {"state": request(np.concatenate([stream, wild]))}
    with pytest.raises(AlignmentError, match=r"2 messages from 1700259200000000000 ns, 259,199 s \(3\.0 days\) after"):
        align(requests, rate_hz=Fraction(30))


def test_stamps_from_before_the_epoch_do_not_overflow() -> None:
    stream = np.append(stamps(first_ms=0, last_ms=1000, step_ms=10), np.iinfo(np.int64).min)
    with pytest.raises(AlignmentError, match="one message at -9223372036854775808 ns"):
        align({"state": request(stream)}, rate_hz=Fraction(30))


def test_of_several_wild_stamps_the_one_that_stretches_the_timeline_is_named() -> None:
    stream = stamps(first_ms=0, last_ms=1000, step_ms=10)
    far = np.array([2**63 - 1], dtype=np.int64)
    requests = {"state": request(np.append(stream, 0)), "action": request(np.concatenate([[0], stream, far]))}
    with pytest.raises(AlignmentError, match=r"feature state has one message at 0 ns"):
        align(requests, rate_hz=Fraction(30))


def test_one_wild_stamp_does_no_harm_where_another_feature_bounds_the_span() -> None:
    stream = stamps(first_ms=0, last_ms=1000, step_ms=10)
    requests = {"state": request(np.append(stream, 0)), "action": request(stream, rule="latest")}
    timeline = align(requests, rate_hz=Fraction(10))
    assert timeline.num_ticks == 11
    assert timeline.features["state"].is_valid.all()


def test_a_recording_of_days_is_refused_as_too_long() -> None:
    stream = START_NS + 60 * 10**9 * np.arange(0, 60 * 50, dtype=np.int64)
    with pytest.raises(AlignmentError, match=r"share 179,940 s \(2\.1 days\).*at most 24 h.*Split the recording"):
        align({"state": request(stream)}, rate_hz=Fraction(30))


def test_more_ticks_than_an_episode_holds_are_refused_before_they_are_made() -> None:
    stream = START_NS + 10**9 * np.arange(0, 3600, dtype=np.int64)
    with pytest.raises(AlignmentError, match=r"359,900,001 ticks"):
        align({"state": request(stream)}, rate_hz=Fraction(100_000))


def test_an_unknown_rule_is_refused() -> None:
    with pytest.raises(RegistryError, match="Known: angle, latest, linear, nearest, slerp"):
        align({"a": request(stamps(first_ms=0, last_ms=9, step_ms=1), rule="cubic")}, rate_hz=Fraction(30))
