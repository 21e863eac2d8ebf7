"""The timeline: the common clock of an episode, and which message of every stream feeds which tick."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class AlignedFeature:
    """One feature's messages laid on the ticks. All arrays are (T,)."""

    before: NDArray[np.int64]
    """Stream row (`Message.sequence`) that feeds the tick; the left neighbour where interpolated; −1 where not valid."""
    after: NDArray[np.int64]
    """Stream row of the right neighbour where interpolated; equal to `before` elsewhere."""
    weight: NDArray[np.float64]
    """Share of `after` in the value, 0 ≤ w < 1; 0 where not interpolated."""
    source_ns: NDArray[np.int64]
    """Stamp of the message behind the tick, ns; of the nearer neighbour where interpolated; the tick itself where not valid."""
    is_valid: NDArray[np.bool_]
    """False where nothing fell within the tolerance."""
    is_interpolated: NDArray[np.bool_]
    """True where the value is made from two messages."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The ticks of an episode and every feature on them."""

    time_ns: NDArray[np.int64]
    """(T,) ns since the Unix epoch of the chosen clock, strictly rising."""
    features: Mapping[str, AlignedFeature]
    """Of a feature that several parts feed: valid where all of them are, with the message that is furthest from the tick."""
    parts: Mapping[tuple[str, str], AlignedFeature] = field(default_factory=dict)
    """(feature, part's label) → the part, of every feature that several feed."""

    @property
    def num_ticks(self) -> int:
        """T."""
        return len(self.time_ns)

    @property
    def duration_ns(self) -> int:
        """From the first tick to the last."""
        return int(self.time_ns[-1] - self.time_ns[0]) if len(self.time_ns) else 0

    def skew_ns(self, feature: str) -> NDArray[np.int64]:
        """Source stamp minus tick (T,), ns; 0 where not valid."""
        return self.features[feature].source_ns - self.time_ns

    def of_part(self, feature: str, label: str) -> AlignedFeature:
        """One part of a feature; with an empty label the feature, which has one part only."""
        return self.parts[feature, label] if label else self.features[feature]
