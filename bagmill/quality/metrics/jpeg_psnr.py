"""Brightness kept by the stored images."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, ImageSample, Measurement, Stage
from bagmill.quality.sampled import lowest


class JpegPsnr:
    """The lowest PSNR of luma among a camera's audited frames; equal frames (copied, lossless) are exact, 100 dB."""

    name = "jpeg_psnr"
    stage: Stage = "episode"
    unit = "dB"
    direction: Direction = "higher"
    threshold: float | None = 36.0
    severity: Severity = "error"
    description = (
        "How close the brightness of stored images is to the recording's, as the lowest PSNR of the audited "
        "frames; equal ones are exact, stored as 100 dB. A failure means that compression harms the pictures: raise the "
        "feature's `quality`."
    )

    def of(self, sample: ImageSample) -> float:
        """PSNR of one frame, dB."""
        return sample.picture.luma_psnr_db

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One value an image feature."""
        return lowest(evidence, self.of)
