"""Stamps that are wrong by themselves, as the time tells at which their messages were recorded."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.order import StampOrder

_LEAST_NS = 100_000_000
"""In an ordinary network messages overtake each other by less."""
_LEAST_PERIODS = 3.0
"""The same where messages come seldom."""
_HOLE = 1.5
"""Periods without a message: one is missing."""


def find_strays(stamps_ns: NDArray[np.int64], log_ns: NDArray[np.int64], *, pace_ns: float) -> NDArray[np.int64]:
    """How far the stamps are off that are out of order though their messages were recorded at the usual pace.

    A message that was late is none: it was recorded between two that were on time, and its stamp is right.

    Args:
        stamps_ns: (N,) in the order of recording.
        log_ns: (N,) when the messages were recorded.
        pace_ns: The usual time between two.

    Returns:
        (M,) ns from the stamps beside them, above 0.

    >>> log = np.arange(6) * 10**9
    >>> find_strays(np.where(np.arange(6) == 3, -5 * 10**9, log), log, pace_ns=1e9)
    array([8000000000])
    """
    is_stray = StampOrder.of(stamps_ns).is_stray
    if not pace_ns > 0 or not is_stray.any() or not StampOrder.of(log_ns).is_in_order.all():
        return np.empty(0, np.int64)
    good, strays = np.flatnonzero(~is_stray), np.flatnonzero(is_stray)
    if not len(good):
        return np.empty(0, np.int64)
    expected = np.interp(log_ns[strays] - log_ns[0], log_ns[good] - log_ns[0], stamps_ns[good] - stamps_ns[good[0]])
    away: NDArray[np.int64] = np.abs(stamps_ns[strays] - stamps_ns[good[0]] - np.round(expected).astype(np.int64))
    # One period beyond the first and the last, where nothing is missing.
    edge = round(pace_ns)
    padded = np.concatenate(([log_ns[0] - edge], log_ns, [log_ns[-1] + edge]))
    leaves_hole = padded[strays + 2] - padded[strays] >= _HOLE * pace_ns
    is_wrong: NDArray[np.bool_] = leaves_hole & (away >= max(_LEAST_NS, _LEAST_PERIODS * pace_ns))
    return away[is_wrong]
