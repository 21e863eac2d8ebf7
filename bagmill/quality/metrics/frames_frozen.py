"""Frames that repeat the one before."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage


class FramesFrozen:
    """Messages whose stored frame equals, byte for byte, that of the message before.

    Counted over all frames, not sampled. A real camera's noise never repeats; a simulated scene may stand still, and its
    profile sets a threshold of its own.
    """

    name = "frames_frozen"
    stage: Stage = "episode"
    unit = "%"
    direction: Direction = "lower"
    threshold: float | None = 5.0
    severity: Severity = "error"
    description = (
        "Camera frames that are identical to the frame before though they came as a new message. A failure means "
        "that a camera or its driver was frozen and repeated an old picture."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One percentage an image or depth feature; nan where fewer than two frames are stored."""
        measurements = []
        for feature in evidence.plan.features:
            if feature.kind == "signal":
                continue
            num_steps = evidence.num_frames_encoded[feature.name] - 1
            num_repeated = evidence.num_frames_repeated[feature.name]
            value = 100 * num_repeated / num_steps if num_steps > 0 else float("nan")
            note = f"{num_repeated:,} of {num_steps + 1:,} frames" if num_repeated else ""
            measurements.append(Measurement(feature.name, value, note))
        return measurements
