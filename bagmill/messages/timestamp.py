"""Seconds and nanoseconds → int64 nanoseconds."""

from __future__ import annotations

from bagmill.errors import DecodeError

SECONDS = ("sec", "secs", "seconds")
NANOSECONDS = ("nanosec", "nsec", "nsecs", "nanos", "nanoseconds")
"""What the two parts of a stamp are called in the message formats there are."""

_INT64 = range(-(1 << 63), 1 << 63)


def to_nanoseconds(seconds: int, nanoseconds: int) -> int:
    """A stamp's two parts as one number of ns.

    Raises:
        DecodeError: It does not fit int64, which reaches to the year 2262.
    """
    total = seconds * 1_000_000_000 + nanoseconds
    if total not in _INT64:
        raise DecodeError(f"a stamp of {seconds} s and {nanoseconds} ns does not fit 64 bits of nanoseconds")
    return total
