"""Frames that should be stored and are not."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage


class FramesStored:
    """Valid ticks against frames found in the episode's shards."""

    name = "frames_stored"
    stage: Stage = "episode"
    unit = "frames"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "error"
    description = (
        "Difference between the ticks that have a camera frame and the frames found in the episode's files. A "
        "failure means that the episode was not written whole: ingest it again."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One difference an image or depth feature."""
        measurements = []
        for name, num_stored in evidence.num_frames_stored.items():
            num_valid = int(np.count_nonzero(evidence.timeline.features[name].is_valid))
            note = f"{num_valid:,} ticks have one, {num_stored:,} are stored" if num_valid != num_stored else ""
            measurements.append(Measurement(name, float(abs(num_valid - num_stored)), note))
        return measurements
