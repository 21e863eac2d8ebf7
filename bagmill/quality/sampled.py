"""The audited frames of an episode's cameras, and two ways to make one number of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bagmill.profile import FeatureKind
from bagmill.quality.metric import EpisodeEvidence, ImageSample, Measurement


def samples_of(evidence: EpisodeEvidence, kind: FeatureKind) -> dict[str, Sequence[ImageSample]]:
    """Audited frames by feature, of one kind of camera; a camera without any is left out."""
    return {
        feature.name: samples
        for feature in evidence.plan.features
        if feature.kind == kind and (samples := evidence.samples.get(feature.name, ()))
    }


def lowest(evidence: EpisodeEvidence, value_of: Callable[[ImageSample], float]) -> list[Measurement]:
    """The lowest value among each image feature's audited frames, and at which tick it is."""
    measurements = []
    for name, samples in samples_of(evidence, "image").items():
        value, tick = min((value_of(sample), sample.tick) for sample in samples)
        measurements.append(Measurement(name, value, f"lowest of {len(samples)} frames, at tick {tick}"))
    return measurements


def percent_of(evidence: EpisodeEvidence, is_such: Callable[[ImageSample], bool]) -> list[Measurement]:
    """How many of each image feature's audited frames are such, in percent, and the first tick that is."""
    measurements = []
    for name, samples in samples_of(evidence, "image").items():
        ticks = [sample.tick for sample in samples if is_such(sample)]
        note = f"{len(ticks)} of {len(samples)} sampled frames, the first at tick {ticks[0]}" if ticks else ""
        measurements.append(Measurement(name, 100 * len(ticks) / len(samples), note))
    return measurements
