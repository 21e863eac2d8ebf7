"""Structure kept by the stored images."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, ImageSample, Measurement, Stage
from bagmill.quality.sampled import lowest


class JpegSsim:
    """The lowest SSIM of luma among a camera's audited frames."""

    name = "jpeg_ssim"
    stage: Stage = "episode"
    unit = "SSIM"
    direction: Direction = "higher"
    threshold: float | None = 0.95
    severity: Severity = "error"
    description = (
        "How well edges and texture of the recording's images are kept, as the lowest SSIM of the audited frames; "
        "1 is exact. A failure means that compression smears detail: raise the feature's `quality`."
    )

    def of(self, sample: ImageSample) -> float:
        """SSIM of one frame."""
        return sample.picture.ssim

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One value an image feature."""
        return lowest(evidence, self.of)
