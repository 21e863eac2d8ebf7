"""How fast and how regularly a stream's messages come, and which round numbers say so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.profile_numbers import LEAST_CHANNEL_HZ, MOST_CHANNEL_HZ
from bagmill.streams.index import NO_STAMP

_FAR_NS = 30 * 24 * 3600 * 1_000_000_000
"""A stamp further than this from the middle one is not part of the recording's time: 0, or another clock's."""
_USUAL_HZ = (1, 2, 5, 10, 15, 20, 24, 25, 30, 40, 50, 60, 90, 100, 120, 125, 150, 200, 240, 250, 400, 500, 1000)
_USUAL_WITHIN = 0.03
_REGULAR_FROM = 10
"""Fewer messages than this say nothing of a rate."""
_EXPECTED_WITHIN = 0.05
"""Half of what the check `rates` allows by itself."""
_BURST_LAG = 32
"""A rate is measured over so many messages where they come in bursts."""
_BURSTY_FROM = 1.5
_STEADY_WITHIN = 0.1
_STEADY_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Pace:
    """A stream's messages in time.

    Intervals are those between different stamps: messages that share one tell nothing of how fast they come.
    """

    num_messages: int
    """With a stamp that belongs to the recording's time."""
    num_far: int
    """Stamps that are missing, zero, or more than 30 days away from the middle one."""
    num_repeated: int
    """Messages whose stamp another message has already."""
    start_ns: int
    """First stamp, ns; 0 where there is none."""
    end_ns: int
    """Last stamp, ns."""
    interval_ns: float
    """Usual time between two stamps: their median; over many where messages come in bursts; nan for fewer than two."""
    long_interval_ns: float
    """95th percentile of the times between two stamps; nan for fewer than two."""
    bridge_ns: float
    """All but a hundredth of the time lies in intervals up to this long; nan for fewer than two stamps."""
    longest_interval_ns: float
    """nan for fewer than two stamps."""
    is_bursty: bool
    """Several messages come close behind each other, then none for a while."""

    @property
    def num_stamps(self) -> int:
        """Different ones."""
        return self.num_messages - self.num_repeated

    @property
    def rate_hz(self) -> float:
        """By the usual interval, which neither a pause nor a burst bends; nan where the stamps do not rise."""
        return 1e9 / self.interval_ns if self.interval_ns > 0 else float("nan")

    @property
    def mean_rate_hz(self) -> float:
        """Messages over time covered, pauses included; nan for fewer than two."""
        span_ns = self.end_ns - self.start_ns
        return (self.num_messages - 1) * 1e9 / span_ns if span_ns > 0 else float("nan")

    @property
    def is_regular(self) -> bool:
        """Messages come at a rate that can be expected of the channel, not when something happens."""
        span_ns = self.end_ns - self.start_ns
        return (
            self.num_stamps >= _REGULAR_FROM
            and self.interval_ns > 0
            and self.long_interval_ns < 2 * self.interval_ns
            and abs((self.num_stamps - 1) * self.interval_ns / span_ns - 1) < 0.05
        )

    @property
    def is_irregular(self) -> bool:
        """There are enough messages to see that they come when something happens."""
        return self.num_messages >= _REGULAR_FROM and not self.is_regular

    @property
    def expected_rate_hz(self) -> float | None:
        """The rate that can be asked of the channel's other recordings, since this one keeps it; None where there is none."""
        if not self.is_regular or self.num_far:
            return None
        rate_hz = round_rate(self.rate_hz)
        is_kept = abs(self.mean_rate_hz / rate_hz - 1) < _EXPECTED_WITHIN
        return rate_hz if is_kept and LEAST_CHANNEL_HZ <= rate_hz <= MOST_CHANNEL_HZ else None


def measure_pace(stamps_ns: NDArray[np.int64]) -> Pace:
    """Measure a stream's stamps.

    Args:
        stamps_ns: (N,) by any clock, in any order; `NO_STAMP` and far-off ones are counted and left out.
    """
    recorded = _of_one_time(stamps_ns[stamps_ns != NO_STAMP])
    stamps = np.unique(recorded)
    intervals = np.diff(stamps)
    interval, is_bursty = _usual_interval(stamps)
    return Pace(
        num_messages=len(recorded),
        num_far=len(stamps_ns) - len(recorded),
        num_repeated=len(recorded) - len(stamps),
        start_ns=int(stamps[0]) if len(stamps) else 0,
        end_ns=int(stamps[-1]) if len(stamps) else 0,
        interval_ns=interval,
        long_interval_ns=float(np.percentile(intervals, 95)) if len(intervals) else float("nan"),
        bridge_ns=_bridge(intervals),
        longest_interval_ns=float(intervals.max()) if len(intervals) else float("nan"),
        is_bursty=is_bursty,
    )


def _of_one_time(stamps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Those that lie around the middle one, in their order."""
    if not len(stamps):
        return stamps
    # uint64: the distance between two int64 may not fit one.
    middle = np.partition(stamps, len(stamps) // 2)[len(stamps) // 2]
    distance = np.where(stamps > middle, stamps.view(np.uint64) - middle.view(np.uint64), 0)
    distance += np.where(stamps < middle, middle.view(np.uint64) - stamps.view(np.uint64), 0)
    return stamps[distance <= _FAR_NS]


def _usual_interval(stamps: NDArray[np.int64]) -> tuple[float, bool]:
    """The usual time between rising stamps, and whether they come in bursts.

    In bursts the median is the time within a burst, as short as a network makes it. Over several messages it is not.
    """
    if len(stamps) < 2:
        return float("nan"), False
    single = float(np.median(np.diff(stamps)))
    lag = min(_BURST_LAG, (len(stamps) - 1) // 4)
    if lag < 2:
        return single, False
    over_many = stamps[lag:] - stamps[:-lag]
    # Those with a pause among them are no measure. The mean of the others: how many bursts they hold differs.
    lagged = float(over_many[over_many <= 2 * np.median(over_many)].mean()) / lag
    if lagged > _BURSTY_FROM * single:
        return lagged, True
    # Where messages are lost, the others come a whole number of intervals apart. Where they are late now and then, they
    # do not, and the median says less than the mean.
    periods = np.diff(stamps) / max(single, 1.0)
    is_whole = np.abs(periods - np.round(periods)) <= _STEADY_WITHIN
    return (single if np.mean(is_whole) >= _STEADY_SHARE else lagged), False


def _bridge(intervals: NDArray[np.int64]) -> float:
    if not len(intervals):
        return float("nan")
    longest_first = np.sort(intervals)[::-1]
    time_in_longer = np.cumsum(longest_first) - longest_first
    allowed = 0.01 * float(longest_first.sum())
    return float(longest_first[np.count_nonzero(time_in_longer <= allowed) - 1])


def round_rate(rate_hz: float) -> float:
    """The rate that was probably meant: a usual one within 3 %, else three digits.

    >>> round_rate(29.93), round_rate(14.36), round_rate(1001.7)
    (30, 14.4, 1000)
    """
    usual = min(_USUAL_HZ, key=lambda known: abs(known / rate_hz - 1))
    if abs(usual / rate_hz - 1) <= _USUAL_WITHIN:
        return usual
    rounded = float(f"{rate_hz:.3g}")
    return int(rounded) if rounded.is_integer() else rounded


def round_up_ms(duration_ns: float) -> float:
    """The next 1, 1.5, 2, 2.5, 3, 4, 5, 6 or 8 times a power of ten, in ms, give or take 2 %: a tolerance that reads well.

    >>> round_up_ms(16_700_000), round_up_ms(41_000_000), round_up_ms(820_000)
    (20, 50, 1)
    """
    duration_ms = max(duration_ns / 1e6, 1e-3)
    power = 10.0 ** np.floor(np.log10(duration_ms))
    step = next(step for step in (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10) if step * power >= duration_ms * 0.98)
    rounded = float(f"{step * power:.6g}")
    return int(rounded) if rounded.is_integer() else rounded


def say_pace(pace: Pace) -> str:
    """`412 messages, 29.97 Hz`, for a comment."""
    if math.isnan(pace.rate_hz):
        return f"{pace.num_messages} messages at one time"
    bursts = " in bursts" if pace.is_bursty else ""
    repeats = f", {pace.num_repeated} of them with the stamp of another" if pace.num_repeated else ""
    return f"{pace.num_messages} messages{bursts} at {pace.rate_hz:.4g} Hz{repeats}"
