"""Overexposed frames."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, ImageSample, Measurement, Stage
from bagmill.quality.sampled import percent_of

_SHARE = 0.9


class FramesBlown:
    """Audited frames of which nine tenths are white; the threshold as for `frames_black`."""

    name = "frames_blown"
    stage: Stage = "episode"
    unit = "%"
    direction: Direction = "lower"
    threshold: float | None = 10.0
    severity: Severity = "error"
    description = (
        "Sampled camera frames that are white all over. A failure means that a camera was overexposed: check its "
        "exposure setting and what shines into it."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One percentage an image feature."""
        return percent_of(evidence, _is_blown)


def _is_blown(sample: ImageSample) -> bool:
    return sample.picture.white_share > _SHARE
