"""On the shorter arc between two messages: for angles, headings and continuous joints, in radians."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import fed_by_two
from bagmill.alignment.timeline import AlignedFeature

_TURN = 2 * np.pi


@dataclass(frozen=True, slots=True)
class Angle:
    """Every number, an angle in radians, on the shorter arc between the messages before and after the tick.

    Where that arc crosses the seam of the recorded range, [−π, π] or [0, 2π], the value stays in the range. Angles
    that count turns (7.0, 7.1, …) go on counting. Of two arcs as long, the one on which the number does not jump.
    """

    name: str = "angle"
    is_interpolating: bool = True
    group_size: int = 1

    def select(self, stamps_ns: NDArray[np.int64], ticks_ns: NDArray[np.int64], *, tolerance_ns: int) -> AlignedFeature:
        """See `Rule.select`."""
        return fed_by_two(stamps_ns, ticks_ns, tolerance_ns=tolerance_ns)

    def combine(
        self, before: NDArray[np.float64], after: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Rule.combine`. A number that is not finite in either message is not finite between them."""
        share = weight[:, np.newaxis]
        with np.errstate(invalid="ignore", over="ignore"):
            turns = np.round((after - before) / _TURN)
            between = before + share * (after - before - _TURN * turns)
            lowest = np.where(np.minimum(before, after) < 0, -np.pi, 0.0)
            highest = lowest + _TURN
            crosses_seam = (turns != 0) & (np.minimum(before, after) >= lowest) & (np.maximum(before, after) <= highest)
            between = np.where(crosses_seam & (between < lowest), between + _TURN, between)
            between = np.where(crosses_seam & (between > highest), between - _TURN, between)
        return np.where(share == 0, before, between)
