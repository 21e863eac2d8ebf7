"""The message nearest to the tick: for cameras."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import Instants, elapsed_ns, fed_by_none, fed_by_one
from bagmill.alignment.timeline import AlignedFeature


@dataclass(frozen=True, slots=True)
class Nearest:
    """The message nearest to the tick, before or after it, if within the tolerance; of two as near the earlier."""

    name: str = "nearest"
    is_interpolating: bool = False
    group_size: int = 1

    def select(self, stamps_ns: NDArray[np.int64], ticks_ns: NDArray[np.int64], *, tolerance_ns: int) -> AlignedFeature:
        """See `Rule.select`."""
        instants = Instants.of(stamps_ns)
        if not len(instants):
            return fed_by_none(ticks_ns)
        left = instants.at_or_before(ticks_ns)
        before = np.maximum(left, 0)
        after = np.minimum(left + 1, len(instants) - 1)
        never = np.uint64(np.iinfo(np.uint64).max)
        since_ns = np.where(left >= 0, elapsed_ns(instants.stamps_ns[before], ticks_ns), never)
        until_ns = np.where(left + 1 < len(instants), elapsed_ns(ticks_ns, instants.stamps_ns[after]), never)
        places = np.where(since_ns <= until_ns, before, after)
        is_valid = np.minimum(since_ns, until_ns) <= tolerance_ns
        return fed_by_one(instants, ticks_ns, places=places, is_valid=is_valid)

    def combine(
        self,
        before: NDArray[np.float64],
        after: NDArray[np.float64],  # noqa: ARG002 - one message feeds a tick
        weight: NDArray[np.float64],  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """See `Rule.combine`."""
        return before
