"""On the straight line between two messages: for joints, positions, forces."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import fed_by_two
from bagmill.alignment.timeline import AlignedFeature


@dataclass(frozen=True, slots=True)
class Linear:
    """Every number by itself on the straight line between the messages before and after the tick."""

    name: str = "linear"
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
        # inf times 0 is nan, so a message that feeds its tick alone is not sent through the sum.
        with np.errstate(invalid="ignore"):
            between = (1 - share) * before + share * after
        return np.where(share == 0, before, between)
