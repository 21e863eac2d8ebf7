"""Depth kept exactly."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, FrameSample, Measurement, Stage
from bagmill.quality.sampled import samples_of


class DepthExact:
    """Pixels of the audited depth frames that differ from the recording's."""

    name = "depth_exact"
    stage: Stage = "episode"
    unit = "pixels"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "error"
    description = (
        "Depth pixels that differ from the recording's in the audited frames. A failure means that stored depth "
        "is wrong, which is a fault of bagmill's or of the disk's: report it, and ingest the episode again."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One count a depth feature."""
        measurements = []
        for name, found in samples_of(evidence, "depth").items():
            samples = [sample for sample in found if isinstance(sample, FrameSample)]
            counts = [int(np.count_nonzero(sample.source != sample.stored)) for sample in samples]
            wrong = [sample.tick for sample, count in zip(samples, counts, strict=True) if count]
            note = f"in {len(wrong)} of {len(samples)} frames, the first at tick {wrong[0]}" if wrong else ""
            measurements.append(Measurement(name, float(sum(counts)), note))
        return measurements
