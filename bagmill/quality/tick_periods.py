"""How many tick periods a stream's messages fall into, and how many they would if none shared a stamp."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import elapsed_ns


def count_periods(stamps_ns: NDArray[np.int64], *, rate_hz: float) -> tuple[int, int]:
    """How many periods of a rate hold a stamp (N,): at the least, and at the most.

    Where periods begin is a matter of choice. Messages that come once a period, give or take, just where one meets the
    next, share periods by that choice alone; half a period on they do not. So both are counted.
    """
    if not len(stamps_ns):
        return 0, 0
    periods = elapsed_ns(np.full_like(stamps_ns, stamps_ns.min()), stamps_ns) * (rate_hz / 1e9)
    counts = [len(np.unique(np.floor(periods + phase))) for phase in (0.0, 0.5)]
    return min(counts), max(counts)


def spread_stamps(stamps_ns: NDArray[np.int64]) -> NDArray[np.int64] | None:
    """Stamps (N,) that do not go back, those that are equal spread evenly until the next; None where all are equal.

    >>> spread_stamps(np.array([0, 0, 0, 0, 100, 160])).tolist()
    [0, 25, 50, 75, 100, 160]
    """
    firsts = np.flatnonzero(np.append(True, stamps_ns[1:] != stamps_ns[:-1]))
    if len(firsts) < 2:
        return None
    counts = np.diff(np.append(firsts, len(stamps_ns)))
    # Behind the last stamp, messages go on at the usual pace.
    intervals = np.diff(stamps_ns[firsts]) // counts[:-1]
    intervals = np.append(intervals, np.int64(np.median(intervals)))
    place = np.arange(len(stamps_ns)) - np.repeat(firsts, counts)
    return np.asarray(stamps_ns + place * np.repeat(intervals, counts))
