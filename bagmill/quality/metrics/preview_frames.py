"""A preview as long as its episode."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, PreviewEvidence, Stage


class PreviewFrames:
    """Frames decoded from the preview against the episode's ticks; a warning by default: training does not read it."""

    name = "preview_frames"
    stage: Stage = "preview"
    unit = "frames"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "warn"
    description = (
        "Difference between the preview's frames and the episode's ticks. A failure means that the preview does "
        "not show the episode from beginning to end."
    )

    def measure(self, evidence: PreviewEvidence) -> list[Measurement]:
        """One difference."""
        difference = abs(evidence.num_frames_decoded - evidence.num_ticks)
        note = f"{evidence.num_frames_decoded:,} frames for {evidence.num_ticks:,} ticks" if difference else ""
        return [Measurement("preview", float(difference), note)]
