"""Numbers that are none."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage


class ValuesFinite:
    """Values of valid ticks that are nan or infinite."""

    name = "values_finite"
    stage: Stage = "episode"
    unit = "values"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "error"
    description = (
        "Numbers of each signal that are not a number or infinite. A failure means that a driver published "
        "garbage: training on it makes every loss not a number."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One count a signal."""
        measurements = []
        for name, values in evidence.signals.items():
            is_bad = ~np.isfinite(values) & evidence.timeline.features[name].is_valid[:, np.newaxis]
            ticks = np.flatnonzero(is_bad.any(axis=1))
            note = f"at {len(ticks):,} ticks, the first {ticks[0]}" if len(ticks) else ""
            measurements.append(Measurement(name, float(np.count_nonzero(is_bad)), note))
        return measurements
