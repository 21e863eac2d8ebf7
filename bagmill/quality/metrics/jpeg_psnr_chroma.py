"""Colour kept by the stored images."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, ImageSample, Measurement, Stage
from bagmill.quality.sampled import lowest


class JpegPsnrChroma:
    """The lowest PSNR of both chroma planes together among a camera's audited frames: what 4:2:0 costs."""

    name = "jpeg_psnr_chroma"
    stage: Stage = "episode"
    unit = "dB"
    direction: Direction = "higher"
    threshold: float | None = 34.0
    severity: Severity = "error"
    description = (
        "How close the colours of stored images are to the recording's, as the lowest PSNR of the audited frames; "
        "equal ones are exact, stored as 100 dB. A failure means that compression harms colours: set the feature's "
        "`subsampling` to 444."
    )

    def of(self, sample: ImageSample) -> float:
        """PSNR of one frame, dB."""
        return sample.picture.chroma_psnr_db

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One value an image feature."""
        return lowest(evidence, self.of)
