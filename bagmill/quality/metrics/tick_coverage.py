"""How many ticks have a message."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.coverage import measure_coverage
from bagmill.quality.metric import Direction, Measurement, Stage, TimelineEvidence


class TickCoverage:
    """Ticks within the tolerance of a message, by time stamps alone; optional features are not judged."""

    name = "tick_coverage"
    stage: Stage = "timeline"
    unit = "%"
    direction: Direction = "higher"
    threshold: float | None = 98.0
    severity: Severity = "error"
    description = (
        "Ticks for which each feature has a message within the profile's tolerance. A failure means that streams "
        "have gaps, run too slowly or are badly synchronised: the episode would have holes."
    )

    def measure(self, evidence: TimelineEvidence) -> list[Measurement]:
        """One percentage a feature."""
        return measure_coverage(evidence.plan, evidence.timeline)
