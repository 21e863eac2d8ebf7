"""Whether a stream's stamps rise in the order in which its messages were recorded.

Between two messages whose stamps rise, the sensor told of the time between them. Where a clock was set back, stamps
between an earlier message and a later one belong to two moments, and sorting would shuffle the two together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class StampOrder:
    """Which messages of a stream stand in order. All arrays are (N,), in the order of recording.

    Neighbours with equal stamps count as one message.
    """

    is_stray: NDArray[np.bool_]
    """Messages by themselves out of order: without one, its two neighbours are in order. Where two messages overtook
    each other, both are strays, for either may be the wrong one."""
    is_overlapped: NDArray[np.bool_]
    """Messages that are no strays, but a message before them has a later stamp, or one after them an earlier one; also
    those whose stamp comes again after other stamps, strays among them."""

    @classmethod
    def of(cls, stamps_ns: NDArray[np.int64]) -> StampOrder:
        """Look at stamps (N,) in the order of recording.

        >>> order = StampOrder.of(np.array([10, 20, 0, 30, 40]))
        >>> order.is_stray.tolist(), order.is_overlapped.any()
        ([False, False, True, False, False], np.False_)
        >>> set_back = StampOrder.of(np.array([10, 20, 30, 40, 15, 25, 35, 45]))
        >>> set_back.is_overlapped.tolist()
        [False, True, True, True, True, True, True, False]
        """
        nowhere = np.zeros(len(stamps_ns), dtype=np.bool_)
        if bool(np.all(stamps_ns[1:] >= stamps_ns[:-1])):
            return cls(nowhere, nowhere)
        is_first = np.append(True, stamps_ns[1:] != stamps_ns[:-1])
        stamps = stamps_ns[is_first]
        is_stray = _strays(stamps)
        is_overlapped = _comes_again(stamps)
        rest = ~is_stray
        is_overlapped[rest] |= _overlaps(stamps[rest])
        of_message = np.cumsum(is_first) - 1
        return cls(is_stray[of_message], is_overlapped[of_message])

    @property
    def is_in_order(self) -> NDArray[np.bool_]:
        """(N,) neither stray nor overlapped. Sorted by stamp, these messages stand as they were recorded."""
        return ~(self.is_stray | self.is_overlapped)


def steps_back(stamps_ns: NDArray[np.int64], order: StampOrder) -> list[tuple[int, int]]:
    """Rows of the messages stamped earlier than the one before, strays left out, and the stamp before each, ns."""
    rest = np.flatnonzero(~order.is_stray)
    stamps = stamps_ns[rest]
    places = np.flatnonzero(stamps[1:] < stamps[:-1])
    return list(zip(rest[places + 1].tolist(), stamps[places].tolist(), strict=True))


def _strays(stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of stamps (M,) without equal neighbours."""
    highest, lowest = np.iinfo(np.int64).max, np.iinfo(np.int64).min
    before = np.append(lowest, stamps[:-1])
    after = np.append(stamps[1:], highest)
    return (before <= after) & ((stamps > after) | (stamps < before))


def _overlaps(stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    if not len(stamps):
        return np.zeros(0, dtype=np.bool_)
    latest_so_far = np.maximum.accumulate(stamps)
    earliest_to_come = np.minimum.accumulate(stamps[::-1])[::-1]
    return (stamps < latest_so_far) | (stamps > earliest_to_come)


def _comes_again(stamps: NDArray[np.int64]) -> NDArray[np.bool_]:
    """Of stamps (M,) without equal neighbours: those that are there more than once."""
    # A stable sort takes nearly no time over what is nearly in order.
    places = np.argsort(stamps, kind="stable")
    is_equal = stamps[places][1:] == stamps[places][:-1]
    comes_again = np.zeros(len(stamps), dtype=np.bool_)
    comes_again[places[1:][is_equal]] = True
    comes_again[places[:-1][is_equal]] = True
    return comes_again
