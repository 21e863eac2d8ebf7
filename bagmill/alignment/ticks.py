"""The ticks of a timeline: exact at any rate, over any length."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import AlignmentError

_BLOCK = 4096
_MAX_DENOMINATOR = 2**62


def count_ticks(start_ns: int, end_ns: int, *, rate_hz: Fraction) -> int:
    """How many ticks `make_ticks` gives, without making them."""
    if end_ns < start_ns:
        return 0
    period, per = _period(rate_hz)
    # Tick k stands at floor((2kp + q) / 2q) for a period of p/q ns: the last k for which that is at most the length.
    return -(-per * (2 * (end_ns - start_ns) + 1) // (2 * period))


def make_ticks(start_ns: int, end_ns: int, *, rate_hz: Fraction) -> NDArray[np.int64]:
    """Ticks at a fixed rate from a start to an end.

    Tick k is `start_ns + k / rate_hz` rounded to the nearest nanosecond, half up, by integer arithmetic: it is never
    more than half a nanosecond off, however far from the start.

    Args:
        start_ns: The first tick, ns.
        end_ns: Where they end, ns; a tick that falls on it exactly is the last.
        rate_hz: Ticks a second, > 0.

    Returns:
        int64 (T,), ns, rising; T = 0 where the end lies before the start.

    Raises:
        AlignmentError: The rate is a fraction of more digits than are exact here.
    """
    num_ticks = count_ticks(start_ns, end_ns, rate_hz=rate_hz)
    period, per = _period(rate_hz)
    if 2 * per >= _MAX_DENOMINATOR:
        raise AlignmentError(
            f"the rate {rate_hz} Hz has more digits than can be kept exact",
            remedy="Write it as a fraction of small numbers, such as 30000/1001",
        )
    # 2kp grows beyond int64 within minutes at rates such as 30000/1001. So the quotients and remainders of the first
    # block are taken by unbounded integers, those of a later block are these plus the quotient and remainder of its
    # beginning.
    block = [divmod(2 * k * period + per, 2 * per) for k in range(min(num_ticks, _BLOCK))]
    quotients = np.array([quotient for quotient, _ in block], dtype=np.int64)
    remainders = np.array([remainder for _, remainder in block], dtype=np.int64)
    ticks = np.empty(num_ticks, dtype=np.int64)
    for first in range(0, num_ticks, _BLOCK):
        quotient, remainder = divmod(2 * first * period, 2 * per)
        size = min(_BLOCK, num_ticks - first)
        carries = remainders[:size] + remainder >= 2 * per
        ticks[first : first + size] = quotients[:size] + (start_ns + quotient) + carries
    return ticks


def _period(rate_hz: Fraction) -> tuple[int, int]:
    """Nanoseconds between ticks as a reduced fraction (numerator, denominator)."""
    period = 1_000_000_000 / rate_hz
    return period.numerator, period.denominator
