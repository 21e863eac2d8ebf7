"""The last message up to the tick, held: for commands and grippers, and wherever a policy may not see the future."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import Instants, elapsed_ns, fed_by_none, fed_by_one
from bagmill.alignment.timeline import AlignedFeature


@dataclass(frozen=True, slots=True)
class Latest:
    """The last message at or before the tick, if it is no older than the tolerance; never one from the future."""

    name: str = "latest"
    is_interpolating: bool = False
    group_size: int = 1

    def select(self, stamps_ns: NDArray[np.int64], ticks_ns: NDArray[np.int64], *, tolerance_ns: int) -> AlignedFeature:
        """See `Rule.select`."""
        instants = Instants.of(stamps_ns)
        if not len(instants):
            return fed_by_none(ticks_ns)
        places = instants.at_or_before(ticks_ns)
        age_ns = elapsed_ns(instants.stamps_ns[np.maximum(places, 0)], ticks_ns)
        return fed_by_one(instants, ticks_ns, places=places, is_valid=(places >= 0) & (age_ns <= tolerance_ns))

    def combine(
        self,
        before: NDArray[np.float64],
        after: NDArray[np.float64],  # noqa: ARG002 - one message feeds a tick
        weight: NDArray[np.float64],  # noqa: ARG002
    ) -> NDArray[np.float64]:
        """See `Rule.combine`."""
        return before
