"""Messages that could not be decoded."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.lost_messages import LostMessages, lost_messages
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage


class FramesDamaged:
    """Messages whose payload is not what its schema says; `episode_coverage` says how much of the episode that cost."""

    name = "frames_damaged"
    stage: Stage = "episode"
    unit = "messages"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "warn"
    description = (
        "Messages that could not be decoded; their ticks are marked invalid. A failure means that a driver or the "
        "recorder wrote incomplete frames."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One count a feature, with the reasons."""
        lost = lost_messages(evidence)
        measurements = []
        for name, faults in evidence.decode_faults.items():
            count = float(sum(fault.num_messages for fault in faults))
            said = lost[name] if count else LostMessages("", "")
            measurements.append(Measurement(name, count, said.note, said.remedy))
        return measurements
