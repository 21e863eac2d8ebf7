"""Times between a stream's messages, by a clock that may stand still or be set."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import elapsed_ns
from bagmill.alignment.order import StampOrder, steps_back


@dataclass(frozen=True, slots=True)
class Intervals:
    """The times between a stream's different stamps. Both arrays are (I,)."""

    starts_ns: NDArray[np.int64]
    """The stamp before each."""
    lengths_ns: NDArray[np.uint64]
    """All above 0."""

    @classmethod
    def of(cls, stamps_ns: NDArray[np.int64]) -> Intervals:
        """Measure stamps (N,) in the order of recording; messages with equal stamps count as one.

        Where the clock was set back, each stretch is measured by itself: sorted, they would be one at twice the rate, or
        two with a gap between them that never was.
        """
        order = StampOrder.of(stamps_ns)
        stamps = stamps_ns[~order.is_stray] if steps_back(stamps_ns, order) else np.sort(stamps_ns)
        rises = stamps[1:] > stamps[:-1]
        before, after = stamps[:-1][rises], stamps[1:][rises]
        return cls(before, elapsed_ns(before, after))

    @property
    def total_ns(self) -> int:
        """The time that they cover together."""
        # Python's numbers: of two wild stamps the sum need not fit 64 bits.
        return sum(self.lengths_ns.tolist())

    @property
    def median_ns(self) -> float:
        """Nan where there is none."""
        return float(np.median(self.lengths_ns)) if len(self) else float("nan")

    def __len__(self) -> int:
        return len(self.lengths_ns)
