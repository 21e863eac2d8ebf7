"""Numbers that are none."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage


class ValuesFinite:
    """Values of valid ticks that are nan, or infinite where the profile does not keep infinite ones."""

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
        for feature in evidence.plan.features:
            if feature.name not in evidence.signals:
                continue
            name, values = feature.name, evidence.signals[feature.name]
            is_kept = np.zeros(values.shape[1], np.bool_)
            for part in feature.parts:
                is_kept[list(part.columns)] = part.spec.infinity == "keep"
            is_good = np.isfinite(values) | (np.isinf(values) & is_kept)
            is_bad = ~is_good & evidence.timeline.features[name].is_valid[:, np.newaxis]
            ticks = np.flatnonzero(is_bad.any(axis=1))
            note = f"at {len(ticks):,} ticks, the first {ticks[0]}" if len(ticks) else ""
            measurements.append(Measurement(name, float(np.count_nonzero(is_bad)), note))
        return measurements
