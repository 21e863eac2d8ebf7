"""Which messages stand at, before and around a tick: the search that every rule begins with.

Stamps are compared and subtracted as integers; a float would round ns since the epoch to 256 ns.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.order import StampOrder
from bagmill.alignment.timeline import AlignedFeature


@dataclass(frozen=True, slots=True)
class Instants:
    """A stream's distinct stamps in the order of time, and the message that counts at each.

    Of messages with equal stamps the one recorded last counts.
    """

    stamps_ns: NDArray[np.int64]
    """(M,) strictly rising."""
    rows: NDArray[np.int64]
    """(M,) position of the message in the stream as recorded."""
    first_rows: NDArray[np.int64]
    """(M,) position of the first message with that stamp."""
    is_in_order: NDArray[np.bool_]
    """(M,) False where the stamp says nothing certain, for messages recorded earlier have later stamps, or messages recorded
    later have earlier ones (see `StampOrder`): no tick is fed from there. The `rows` where it is True rise."""

    @classmethod
    def of(cls, stamps_ns: NDArray[np.int64]) -> Instants:
        """Sort a stream's stamps (N,), in any order and repeated or not."""
        rows = np.arange(len(stamps_ns), dtype=np.int64)
        if bool(np.all(stamps_ns[1:] > stamps_ns[:-1])):
            return cls(stamps_ns, rows, rows, np.ones(len(rows), dtype=np.bool_))
        is_in_order = StampOrder.of(stamps_ns).is_in_order
        rows = np.argsort(stamps_ns, kind="stable")
        stamps_ns = stamps_ns[rows]
        is_new = np.append(True, stamps_ns[1:] != stamps_ns[:-1])
        is_last = np.append(is_new[1:], True)
        # All messages with one stamp stand in order, or none does.
        return cls(stamps_ns[is_last], rows[is_last], rows[is_new], is_in_order[rows[is_last]])

    def at_or_before(self, ticks_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """(T,) place of the last instant that is not after each tick; −1 where there is none."""
        return np.searchsorted(self.stamps_ns, ticks_ns, side="right") - 1

    def __len__(self) -> int:
        return len(self.stamps_ns)


def elapsed_ns(earlier: NDArray[np.int64], later: NDArray[np.int64]) -> NDArray[np.uint64]:
    """`later − earlier`, ns, where `later` is not before `earlier`: exact for any two stamps.

    Unsigned, for two stamps may lie further apart than int64 reaches (one of them unset, say).
    """
    return later.view(np.uint64) - earlier.view(np.uint64)


def fed_by_none(ticks_ns: NDArray[np.int64]) -> AlignedFeature:
    """Every tick invalid."""
    nothing = np.zeros(len(ticks_ns), dtype=np.int64)
    one = Instants.of(np.zeros(1, dtype=np.int64))
    return fed_by_one(one, ticks_ns, places=nothing, is_valid=nothing.astype(np.bool_))


def fed_by_one(
    instants: Instants, ticks_ns: NDArray[np.int64], *, places: NDArray[np.int64], is_valid: NDArray[np.bool_]
) -> AlignedFeature:
    """Every valid tick fed by the one message at its place, if that is in order.

    `places` (T,) count only where `is_valid` (T,).
    """
    places = np.where(is_valid, places, 0)
    is_valid = is_valid & instants.is_in_order[places]
    rows = np.where(is_valid, instants.rows[places], -1)
    return AlignedFeature(
        before=rows,
        after=rows,
        weight=np.zeros(len(ticks_ns)),
        source_ns=np.where(is_valid, instants.stamps_ns[places], ticks_ns),
        is_valid=is_valid,
        is_interpolated=np.zeros(len(ticks_ns), dtype=np.bool_),
    )


def fed_by_two(stamps_ns: NDArray[np.int64], ticks_ns: NDArray[np.int64], *, tolerance_ns: int) -> AlignedFeature:
    """Every tick fed by the messages on both sides of it: what rules that interpolate share.

    A message exactly on a tick feeds it alone. Between two messages no further apart than the tolerance the value is
    to be made from both, if they were recorded one after the other; before the first message and behind the last
    nothing is.

    Args:
        stamps_ns: (N,) the stream's stamps as recorded.
        ticks_ns: (T,) rising.
        tolerance_ns: The longest gap that is bridged.
    """
    instants = Instants.of(stamps_ns)
    if not len(instants):
        return fed_by_none(ticks_ns)
    left = instants.at_or_before(ticks_ns)
    before = np.maximum(left, 0)
    after = np.minimum(left + 1, len(instants) - 1)
    stamps_before, stamps_after = instants.stamps_ns[before], instants.stamps_ns[after]
    is_on_tick = (left >= 0) & (stamps_before == ticks_ns)
    gap_ns = elapsed_ns(stamps_before, stamps_after)
    is_between = (left >= 0) & (left + 1 < len(instants)) & ~is_on_tick & (gap_ns <= tolerance_ns)
    is_between &= instants.is_in_order[before] & instants.is_in_order[after]
    is_between &= instants.first_rows[after] == instants.rows[before] + 1
    since_ns = np.where(is_between, elapsed_ns(stamps_before, ticks_ns), 0)
    weight = since_ns / np.maximum(gap_ns, 1)
    is_valid = (is_on_tick & instants.is_in_order[before]) | is_between
    is_left_nearer = since_ns <= gap_ns - since_ns
    rows_before = np.where(is_valid, instants.rows[before], -1)
    return AlignedFeature(
        before=rows_before,
        after=np.where(is_between, instants.rows[after], rows_before),
        # Beyond 2^53 ns the quotient may round up to 1, which the right neighbour alone would be.
        weight=np.minimum(weight, np.nextafter(1.0, 0.0)),
        source_ns=np.where(is_valid, np.where(is_left_nearer, stamps_before, stamps_after), ticks_ns),
        is_valid=is_valid,
        is_interpolated=is_between,
    )
