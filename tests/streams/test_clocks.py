"""Clock estimates: what was put in comes out, however late, large, early or broken the stamps are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bagmill.streams import NO_STAMP, estimate_clock

EPOCH = 1_700_000_000_000_000_000


def made(num=2000, *, offset_ns=0, drift_ppm=0.0, jitter_ns=0, start_ns=EPOCH, seed=0):
    """Header stamps at 100 Hz, and log stamps by a clock that is off, drifts, and sees every message late."""
    header = start_ns + np.arange(num, dtype=np.int64) * 10_000_000
    late = np.random.default_rng(seed).exponential(jitter_ns, num) if jitter_ns else np.zeros(num)
    drift = np.round((header - start_ns) * drift_ppm * 1e-6 + late).astype(np.int64)
    return header, header + offset_ns + drift


def test_a_constant_offset_is_exact_to_the_nanosecond():
    for offset in (0, 1, -1, 123_456_789_012_345_677, -(EPOCH - 10**9), 7 * 10**18):
        header, log = made(offset_ns=offset)
        estimate = estimate_clock(header, log)
        assert estimate.offset_ns == offset
        assert estimate.drift_ppm == 0.0
        assert (estimate.latency_p50_ns, estimate.latency_p99_ns) == (0, 0)
        assert estimate.num_stamps == 2000
        assert estimate.span_ns == 1999 * 10_000_000


@pytest.mark.parametrize("drift_ppm", [-200.0, -3.0, 20.0, 500.0])
def test_drift_under_one_sided_jitter(drift_ppm):
    header, log = made(20_000, drift_ppm=drift_ppm, jitter_ns=20_000_000, offset_ns=-(EPOCH - 5 * 10**9))
    estimate = estimate_clock(header, log)
    assert estimate.drift_ppm == pytest.approx(drift_ppm, abs=0.5)


def test_latency_is_told_behind_the_fastest_messages():
    header, log = made(20_000, jitter_ns=1_000_000, offset_ns=10**15)
    estimate = estimate_clock(header, log)
    # An exponential of mean 1 ms: median ln 2, 99th percentile ln 100, its first percentile at 0.01.
    assert estimate.latency_p50_ns == pytest.approx(1e6 * (np.log(2) - 0.01), rel=0.05)
    assert estimate.latency_p99_ns == pytest.approx(1e6 * (np.log(100) - 0.01), rel=0.05)
    assert estimate.offset_ns == pytest.approx(10**15 + 1e6 * np.log(2), abs=5e4)


def test_a_few_wild_stamps_change_little():
    header, log = made(1000, drift_ppm=50.0, jitter_ns=10_000)
    expected = estimate_clock(header, log)
    log[[3, 500]] = 12
    log[700] = 2**63 - 1
    header[900] = 5
    wild = estimate_clock(header, log)
    assert wild.drift_ppm == pytest.approx(expected.drift_ppm, abs=3.0)
    assert wild.offset_ns == pytest.approx(expected.offset_ns, abs=1_000_000)
    assert wild.latency_p50_ns == pytest.approx(expected.latency_p50_ns, abs=1_000_000)


def test_unset_stamps_are_left_out():
    header, log = made(100, offset_ns=500)
    header[::4] = NO_STAMP
    header[1::4] = 0
    log[2] = 0
    estimate = estimate_clock(header, log)
    assert estimate.num_stamps == 49
    assert estimate.offset_ns == 500


def test_order_does_not_matter():
    header, log = made(500, drift_ppm=30.0, jitter_ns=1000)
    order = np.random.default_rng(1).permutation(500)
    assert estimate_clock(header[order], log[order]) == estimate_clock(header, log)


def test_too_few_stamps_to_tell():
    nothing = estimate_clock(np.array([NO_STAMP, 0], np.int64), np.array([5, 5], np.int64))
    assert (nothing.num_stamps, nothing.offset_ns, nothing.drift_ppm, nothing.latency_p50_ns) == (0, None, None, None)
    one = estimate_clock(np.array([10], np.int64), np.array([17], np.int64))
    assert (one.num_stamps, one.offset_ns, one.drift_ppm, one.latency_p99_ns) == (1, 7, None, 0)
    same = estimate_clock(np.full(9, EPOCH), np.arange(9) + EPOCH)
    assert (same.num_stamps, same.offset_ns, same.drift_ppm, same.span_ns) == (9, 4, None, 0)
    assert same.latency_p50_ns == pytest.approx(4, abs=1)


def test_shapes_must_agree():
    with pytest.raises(ValueError, match="do not belong together"):
        estimate_clock(np.zeros(3, np.int64), np.zeros(2, np.int64))


stamps = st.integers(-(2**63), 2**63 - 1)


@given(st.integers(0, 40).flatmap(lambda n: st.tuples(*[hnp.arrays(np.int64, n, elements=stamps)] * 2)))
def test_any_stamps_at_all(pair):
    header, log = pair
    estimate = estimate_clock(header, log)
    has_both = (header > 0) & (log > 0)
    assert estimate.num_stamps == has_both.sum()
    if estimate.num_stamps:
        exact = sorted(int(b) - int(a) for a, b in zip(header[has_both], log[has_both], strict=True))
        middle = exact[(len(exact) - 1) // 2], exact[len(exact) // 2]
        assert estimate.offset_ns == sum(middle) // 2
        assert estimate.latency_p99_ns >= estimate.latency_p50_ns >= 0
