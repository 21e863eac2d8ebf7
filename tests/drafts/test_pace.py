import numpy as np
import pytest

from bagmill.drafts.pace import measure_pace, round_rate, round_up_ms, say_pace
from bagmill.streams import NO_STAMP

EPOCH_NS = 1_700_000_000_000_000_000
PERIOD_NS = 33_333_333


def stamps(num_messages: int, *, period_ns: int = PERIOD_NS) -> np.ndarray:
    return EPOCH_NS + np.arange(num_messages, dtype=np.int64) * period_ns


def test_a_steady_stream_has_its_rate_and_is_regular() -> None:
    pace = measure_pace(stamps(61))
    assert (pace.num_messages, pace.num_far, pace.is_regular, pace.is_irregular) == (61, 0, True, False)
    assert pace.rate_hz == pytest.approx(30, rel=1e-6)
    assert pace.mean_rate_hz == pytest.approx(30, rel=1e-6)
    assert (pace.start_ns, pace.end_ns) == (EPOCH_NS, EPOCH_NS + 60 * PERIOD_NS)


def test_order_does_not_matter() -> None:
    given = stamps(50)
    assert measure_pace(np.random.default_rng(0).permutation(given)) == measure_pace(given)


def test_bursts_do_not_lift_the_rate() -> None:
    # Ten messages within 0.63 ms, every 100 ms: 100 Hz, though the median interval says 14,286 Hz.
    given = np.concatenate([EPOCH_NS + n * 100_000_000 + np.arange(10) * 70_000 for n in range(30)])
    pace = measure_pace(given)
    assert pace.is_bursty
    assert pace.rate_hz == pytest.approx(100, rel=0.03)
    assert pace.expected_rate_hz is None
    assert "in bursts" in say_pace(pace)


def test_stamps_that_come_in_fives_count_once() -> None:
    pace = measure_pace(np.repeat(stamps(100, period_ns=5_000_000), 5))
    assert (pace.num_messages, pace.num_stamps, pace.num_repeated) == (500, 100, 400)
    assert pace.rate_hz == pytest.approx(200)
    assert pace.is_regular
    assert pace.expected_rate_hz is None  # the check counts every message: 1,000 a second
    assert "400 of them with the stamp of another" in say_pace(pace)


def test_the_rate_to_expect_is_one_that_the_stream_keeps() -> None:
    assert measure_pace(stamps(61)).expected_rate_hz == 30
    lossy = np.delete(stamps(200), np.arange(5, 200, 12))  # one in twelve lost: 27.5 Hz on average
    assert measure_pace(lossy).expected_rate_hz is None


def test_the_gap_to_bridge_leaves_out_a_hundredth_of_the_time() -> None:
    given = stamps(1000, period_ns=10_000_000)
    given[500:] += 20_000_000  # once 30 ms: 0.3 % of the time
    assert measure_pace(given).bridge_ns == 10_000_000
    given[500:] += 970_000_000  # once 1 s: a tenth of it
    assert measure_pace(given).bridge_ns == 1_000_000_000


def test_a_pause_bends_the_mean_rate_only() -> None:
    given = stamps(61)
    given[30:] += 10_000_000_000
    pace = measure_pace(given)
    assert pace.rate_hz == pytest.approx(30, rel=1e-6)
    assert pace.mean_rate_hz == pytest.approx(60 / 12, rel=1e-3)
    assert pace.is_irregular


def test_stamps_of_another_time_are_counted_and_left_out() -> None:
    given = np.concatenate([stamps(20), np.array([0, NO_STAMP, 2**62, -(2**62)])])
    pace = measure_pace(given)
    assert (pace.num_messages, pace.num_far) == (20, 4)
    assert pace.mean_rate_hz == pytest.approx(30, rel=1e-6)


def test_one_stamp_at_zero_of_two_is_the_odd_one() -> None:
    pace = measure_pace(np.array([0, EPOCH_NS], dtype=np.int64))
    assert (pace.num_messages, pace.num_far, pace.start_ns) == (1, 1, EPOCH_NS)


@pytest.mark.parametrize("given", [np.empty(0, np.int64), np.array([NO_STAMP]), np.array([EPOCH_NS])])
def test_too_few_stamps_have_no_rate(given: np.ndarray) -> None:
    pace = measure_pace(given)
    assert np.isnan([pace.rate_hz, pace.mean_rate_hz]).all()
    assert not pace.is_regular
    assert not pace.is_irregular


def test_stamps_that_are_all_the_same_have_no_rate_and_say_so() -> None:
    pace = measure_pace(np.full(12, EPOCH_NS))
    assert np.isnan(pace.rate_hz)
    assert say_pace(pace) == "12 messages at one time"


def test_few_messages_are_neither_regular_nor_irregular() -> None:
    pace = measure_pace(stamps(9))
    assert (pace.is_regular, pace.is_irregular) == (False, False)


def test_pace_is_told_with_count_and_rate() -> None:
    assert say_pace(measure_pace(stamps(61))) == "61 messages at 30 Hz"


@pytest.mark.parametrize(
    ("measured", "rounded"),
    [
        (29.93, 30),
        (59.5, 60),
        (101.2, 100),
        (14.36, 14.4),
        (1001.7, 1000),
        (0.334, 0.334),
        (62.5, 62.5),
        (12_345, 12_300),
    ],
)
def test_rates_round_to_usual_ones_nearby_and_to_three_digits_elsewhere(measured: float, rounded: float) -> None:
    assert round_rate(measured) == rounded


@pytest.mark.parametrize(
    ("duration_ns", "rounded_ms"),
    [
        (16_700_000, 20),
        (25_000_000, 25),
        (41_000_000, 50),
        (820_000, 1),
        (100_000_000, 100),
        (9_100_000_000, 10_000),
        (0, 0.001),
    ],
)
def test_tolerances_round_up(duration_ns: float, rounded_ms: float) -> None:
    assert round_up_ms(duration_ns) == rounded_ms
    assert round_up_ms(duration_ns) * 1e6 >= 0.98 * duration_ns
