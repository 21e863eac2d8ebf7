"""A preview that shows what the episode holds."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, PreviewEvidence, Stage


class PreviewPsnr:
    """The lowest PSNR of sampled preview frames; a warning by default: training does not read it."""

    name = "preview_psnr"
    stage: Stage = "preview"
    unit = "dB"
    direction: Direction = "higher"
    threshold: float | None = 20.0
    severity: Severity = "warn"
    description = (
        "How close sampled preview frames are to the training frames they stand for. A failure means that the "
        "preview shows other frames than the episode holds, or hardly anything."
    )

    def measure(self, evidence: PreviewEvidence) -> list[Measurement]:
        """One value, where frames were sampled."""
        if not evidence.psnr_db:
            return []
        return [Measurement("preview", float(min(evidence.psnr_db)), f"lowest of {len(evidence.psnr_db)} frames")]
