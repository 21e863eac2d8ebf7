"""Where a clock was set: steps back seen in its own stamps, steps either way seen against another clock."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.order import StampOrder, steps_back
from bagmill.profile import Clock
from bagmill.streams.index import NO_STAMP

_LEAST_SHIFT_NS = 100_000_000
"""Less is within what messages are late by in an ordinary network."""
_MAX_CANDIDATES = 32
"""Clocks that part more often than this have no steps: one of them is noise."""
_LEAST_STANDING = 5
"""Messages that a shift has to last for, on either side."""
_NEAR = 20
"""Messages on either side by which a shift is measured near its place."""
_ALIKE = 0.25
"""How far, as a share of it, a shift may differ from what is found near its place, and before and behind it as a whole."""


@dataclass(frozen=True, slots=True)
class ClockStep:
    """One step of a clock."""

    row: int
    """The first message stamped by the clock as it was set."""
    change_ns: int
    """By how much it was set: against the other clock where there is one, else the least that explains the stamps; below
    0 for a step back."""


def other_clock(
    clock: Clock, *, log_ns: NDArray[np.int64], header_ns: NDArray[np.int64]
) -> tuple[Clock, NDArray[np.int64]] | None:
    """Another clock (N,) that stamped every one of some messages, in order; None where there is none.

    Args:
        clock: The one in use.
        log_ns: (N,) when the messages were recorded.
        header_ns: (N,) the stamps inside them; `NO_STAMP` where there is none.
    """
    others: dict[Clock, NDArray[np.int64]] = {"log": log_ns, "header": header_ns}
    for other, stamps in others.items():
        is_set = bool(np.all((stamps != NO_STAMP) & (stamps > 0)))
        if other != clock and is_set and bool(StampOrder.of(stamps).is_in_order.all()):
            return other, stamps
    return None


def find_steps(
    stamps_ns: NDArray[np.int64], order: StampOrder, other_ns: NDArray[np.int64] | None, *, is_everybodys: bool = False
) -> tuple[ClockStep, ...]:
    """Steps of a clock, in the order of recording.

    A step back shows in the stamps themselves, unless it is shorter than the time between two messages. A step forward
    looks like a pause: it shows by another clock that stamped the same messages and went on at their usual pace.

    Args:
        stamps_ns: (N,) in the order of recording.
        order: Of these stamps.
        other_ns: (N,) the same messages by another clock, all set; None where there is none to go by.
        is_everybodys: One clock stamps all channels, as the recorder's does: what it was set by moves all alike, so only
            steps back that show in its stamps count.
    """
    steps = {row: ClockStep(row, int(stamps_ns[row]) - before) for row, before in steps_back(stamps_ns, order)}
    if other_ns is not None:
        shifts = dict(_sustained_shifts(stamps_ns, other_ns))
        for row in steps:
            if row in shifts and shifts[row] < 0:
                steps[row] = ClockStep(row, shifts[row])
        for row, change_ns in shifts.items():
            if row not in steps and not is_everybodys and _is_own(stamps_ns, other_ns, row):
                steps[row] = ClockStep(row, change_ns)
    return tuple(steps[row] for row in sorted(steps))


def _sustained_shifts(stamps_ns: NDArray[np.int64], other_ns: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Rows from which on one clock's distance from the other is another, and by how much it changed, ns.

    A message that was late, or a queue that filled and was emptied, is none: the distance returns to what it was.
    """
    # Relative to the first, so that what differs by an epoch keeps its nanoseconds.
    distance = (stamps_ns - stamps_ns[:1]).astype(np.float64) - (other_ns - other_ns[:1]).astype(np.float64)
    changes = np.diff(distance)
    candidates = np.flatnonzero(np.abs(changes) >= _LEAST_SHIFT_NS) + 1
    if not 0 < len(candidates) <= _MAX_CANDIDATES:
        return []
    edges = [0, *candidates.tolist(), len(distance)]
    shifts = []
    for start, row, end in zip(edges, edges[1:], edges[2:], strict=False):
        before, behind = distance[start:row], distance[row:end]
        if min(len(before), len(behind)) < _LEAST_STANDING:
            continue
        change = float(changes[row - 1])
        near = float(np.median(behind[:_NEAR]) - np.median(before[-_NEAR:]))
        whole = float(np.median(behind) - np.median(before))
        if max(abs(near - change), abs(whole - change)) <= _ALIKE * abs(change):
            shifts.append((row, round(near)))
    return shifts


def _is_own(stamps_ns: NDArray[np.int64], other_ns: NDArray[np.int64], row: int) -> bool:
    """Whether of two clocks that parted the first was set: by the other the messages went on at their usual pace."""
    pace = float(np.median(np.diff(other_ns)))
    own, other = (int(clock[row]) - int(clock[row - 1]) for clock in (stamps_ns, other_ns))
    return pace > 0 and other <= 3 * pace and abs(own - pace) > abs(other - pace)
