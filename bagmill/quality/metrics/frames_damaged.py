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
            notes = filter(None, (said.note, _of_sampled(evidence, name)))
            measurements.append(Measurement(name, count, "; ".join(notes), said.remedy))
        return measurements


def _of_sampled(evidence: EpisodeEvidence, name: str) -> str:
    """What decoding the sampled frames told of copied JPEGs: parts of one that libjpeg warns of may be gray."""
    warnings = evidence.jpeg_warnings.get(name, ())
    if not warnings:
        return ""
    sampled = len(evidence.samples[name])
    return f"libjpeg warns of {len(warnings)} of {sampled} sampled JPEGs, which are frames all the same: {warnings[0]}"
