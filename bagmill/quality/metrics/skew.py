"""How far from their ticks the messages were."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, Stage, TimelineEvidence


class Skew:
    """99th percentile of |source stamp − tick| over valid ticks.

    Features that are interpolated are measured, by the nearer neighbour, but not judged: their value is made for the
    tick itself. A warning by default: what the profile does not tolerate is invalid already, which `tick_coverage`
    judges.
    """

    name = "skew"
    stage: Stage = "timeline"
    unit = "ms"
    direction: Direction = "lower"
    threshold: float | None = 50.0
    severity: Severity = "warn"
    description = (
        "How far in time the messages behind the ticks are from their ticks, as the 99th percentile. A failure "
        "means that what a policy sees as simultaneous was not."
    )

    def measure(self, evidence: TimelineEvidence) -> list[Measurement]:
        """One percentile a feature; nan where no tick is valid."""
        measurements = []
        for feature in evidence.plan.features:
            aligned = evidence.timeline.features[feature.name]
            skew_ms = np.abs(evidence.timeline.skew_ns(feature.name)[aligned.is_valid]) / 1e6
            value = float(np.percentile(skew_ms, 99)) if len(skew_ms) else float("nan")
            is_interpolated = bool(aligned.is_interpolated.any())
            note = "interpolated: of the nearer message, not judged" if is_interpolated else ""
            measurements.append(Measurement(feature.name, value, note, is_judged=not is_interpolated))
        return measurements
