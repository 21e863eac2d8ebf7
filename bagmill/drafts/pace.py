"""How fast and how regularly a stream's messages come, and which round numbers say so."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.streams.index import NO_STAMP

_FAR_NS = 30 * 24 * 3600 * 1_000_000_000
"""A stamp further than this from the middle one is not part of the recording's time: 0, or another clock's."""
_USUAL_HZ = (1, 2, 5, 10, 15, 20, 24, 25, 30, 40, 50, 60, 90, 100, 120, 125, 150, 200, 240, 250, 400, 500, 1000)
_USUAL_WITHIN = 0.03
_REGULAR_FROM = 10
"""Fewer messages than this say nothing of a rate."""


@dataclass(frozen=True, slots=True)
class Pace:
    """A stream's messages in time."""

    num_messages: int
    """With a stamp that belongs to the recording's time."""
    num_far: int
    """Stamps that are missing, zero, or more than 30 days away from the middle one."""
    start_ns: int
    """First stamp, ns; 0 where there is none."""
    end_ns: int
    """Last stamp, ns."""
    interval_ns: float
    """Median time between two messages; nan for fewer than two."""
    long_interval_ns: float
    """95th percentile of the times between two messages; nan for fewer than two."""

    @property
    def rate_hz(self) -> float:
        """By the median interval, which a pause does not bend; nan where the stamps do not rise."""
        return 1e9 / self.interval_ns if self.interval_ns > 0 else float("nan")

    @property
    def mean_rate_hz(self) -> float:
        """Messages over time covered, pauses included; nan for fewer than two."""
        span_ns = self.end_ns - self.start_ns
        return (self.num_messages - 1) * 1e9 / span_ns if span_ns > 0 else float("nan")

    @property
    def is_regular(self) -> bool:
        """Messages come at a rate that can be expected of the channel, not when something happens."""
        return (
            self.num_messages >= _REGULAR_FROM
            and self.interval_ns > 0
            and self.long_interval_ns < 2 * self.interval_ns
            and abs(self.mean_rate_hz / self.rate_hz - 1) < 0.05
        )

    @property
    def is_irregular(self) -> bool:
        """There are enough messages to see that they come when something happens."""
        return self.num_messages >= _REGULAR_FROM and not self.is_regular


def measure_pace(stamps_ns: NDArray[np.int64]) -> Pace:
    """Measure a stream's stamps.

    Args:
        stamps_ns: (N,) by any clock, in any order; `NO_STAMP` and far-off ones are counted and left out.
    """
    stamps = np.sort(stamps_ns[stamps_ns != NO_STAMP])
    if len(stamps):
        # uint64: the distance between two int64 may not fit one.
        middle = stamps[len(stamps) // 2]
        distance = np.where(stamps > middle, stamps.view(np.uint64) - middle.view(np.uint64), 0)
        distance += np.where(stamps < middle, middle.view(np.uint64) - stamps.view(np.uint64), 0)
        stamps = stamps[distance <= _FAR_NS]
    intervals = np.diff(stamps)
    interval, long_interval = np.percentile(intervals, (50, 95)).tolist() if len(intervals) else (float("nan"),) * 2
    return Pace(
        num_messages=len(stamps),
        num_far=len(stamps_ns) - len(stamps),
        start_ns=int(stamps[0]) if len(stamps) else 0,
        end_ns=int(stamps[-1]) if len(stamps) else 0,
        interval_ns=interval,
        long_interval_ns=long_interval,
    )


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
    return f"{pace.num_messages} messages at {pace.rate_hz:.4g} Hz"
