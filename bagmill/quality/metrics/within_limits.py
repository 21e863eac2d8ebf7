"""Numbers beyond the limits that a profile gives."""

from __future__ import annotations

import numpy as np

from bagmill.plan import FeaturePlan
from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage

_SHOWN = 4


class WithinLimits:
    """Values of valid ticks outside the profile's limits; signals without limits are no subject."""

    name = "within_limits"
    stage: Stage = "episode"
    unit = "values"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "error"
    description = (
        "Numbers of each signal outside the limits that the profile gives. A failure means a broken encoder, a "
        "wrong unit, or a robot that left its range."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One count a signal that has limits."""
        return [
            _measure(feature, evidence)
            for feature in evidence.plan.features
            if feature.spec.limits and feature.name in evidence.signals
        ]


def _measure(feature: FeaturePlan, evidence: EpisodeEvidence) -> Measurement:
    values = evidence.signals[feature.name]
    # Rounded as the values are: a joint at its limit of 1.5707963 must not exceed it by a float32's last digit.
    lowest, highest = np.array(feature.spec.limits, dtype=values.dtype).T
    is_valid = evidence.timeline.features[feature.name].is_valid[:, np.newaxis]
    is_out = ((values < lowest) | (values > highest)) & is_valid
    for part in feature.parts:
        if part.spec.infinity == "keep":
            is_out[:, list(part.columns)] &= np.isfinite(values[:, list(part.columns)])
    if not is_out.any():
        return Measurement(feature.name, 0.0)
    places = np.flatnonzero(is_out.any(axis=0)).tolist()
    names = ", ".join(feature.names[place] for place in places[:_SHOWN])
    more = f" and {len(places) - _SHOWN} more" if len(places) > _SHOWN else ""
    extreme = f"from {np.min(values[is_out]):.4g} to {np.max(values[is_out]):.4g}"
    return Measurement(feature.name, float(np.count_nonzero(is_out)), f"{names}{more}: {extreme}")
