"""Black frames."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, ImageSample, Measurement, Stage
from bagmill.quality.sampled import percent_of

_DARK = 8.0
"""Of 255: mean luma below it, and spread too, so that a lamp in the dark is a picture."""


class FramesBlack:
    """Audited frames that are dark all over.

    The threshold lets one frame in sixteen pass: cameras that start with the recording often give a black one first.
    """

    name = "frames_black"
    stage: Stage = "episode"
    unit = "%"
    direction: Direction = "lower"
    threshold: float | None = 10.0
    severity: Severity = "error"
    description = (
        "Sampled camera frames that are black all over. A failure means that a camera was covered, switched off "
        "or without light."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One percentage an image feature."""
        return percent_of(evidence, _is_black)


def _is_black(sample: ImageSample) -> bool:
    return sample.picture.mean_luma < _DARK and sample.picture.luma_spread < _DARK
