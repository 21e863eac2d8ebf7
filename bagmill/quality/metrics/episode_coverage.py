"""How many ticks are left after damaged messages were taken off."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.coverage import measure_coverage
from bagmill.quality.lost_messages import lost_messages
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage


class EpisodeCoverage:
    """Ticks that hold data in the episode as stored: `tick_coverage` less the messages that could not be decoded."""

    name = "episode_coverage"
    stage: Stage = "episode"
    unit = "%"
    direction: Direction = "higher"
    threshold: float | None = 90.0
    severity: Severity = "error"
    description = (
        "Ticks that hold data for each feature once messages that could not be decoded are taken off. A failure "
        "means that a sensor's messages are damaged in number."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One percentage a feature."""
        return measure_coverage(evidence.plan, evidence.timeline, lost=lost_messages(evidence))
