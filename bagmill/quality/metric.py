"""What a metric is, what it is given, and what a check says.

A metric measures one number for every subject (a channel, a feature, the whole recording) of one stage. A check is a
metric with a threshold and a severity. Metrics are given arrays and plain data; they open no files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.timeline import Timeline
from bagmill.messages import DecodeFault
from bagmill.plan import IngestPlan
from bagmill.profile import Profile, Severity
from bagmill.quality.picture import PictureStatistics
from bagmill.streams.index import RecordingIndex

Stage = Literal["recording", "timeline", "episode", "preview"]
STAGES: tuple[Stage, ...] = ("recording", "timeline", "episode", "preview")
"""In the order they run."""
Direction = Literal["higher", "lower"]
"""Which way is better."""


@dataclass(frozen=True)  # no slots: `cached_property` keeps its values in the instance's dict
class FrameSample:
    """One audited frame: what the recording had and what the episode gives back."""

    tick: int
    source: NDArray[np.uint8] | NDArray[np.uint16]
    """(H, W, 3) uint8 or (H, W) uint16, decoded from the message."""
    stored: NDArray[np.uint8] | NDArray[np.uint16]
    """The same frame decoded from the episode's own bytes."""

    @cached_property
    def picture(self) -> PictureStatistics:
        """What all metrics on images ask of it, made once; images only."""
        return PictureStatistics.of(self.source, self.stored)


@dataclass(frozen=True, slots=True)
class MeasuredFrame:
    """One audited image that was measured when it was encoded, and whose bytes are stored as they were then."""

    tick: int
    picture: PictureStatistics


ImageSample = FrameSample | MeasuredFrame


@dataclass(frozen=True, slots=True)
class RecordingEvidence:
    """What the metrics of stage `recording` are given."""

    profile: Profile
    index: RecordingIndex


@dataclass(frozen=True, slots=True)
class TimelineEvidence:
    """What the metrics of stage `timeline` are given."""

    plan: IngestPlan
    timeline: Timeline


@dataclass(frozen=True, slots=True)
class EpisodeEvidence:
    """What the metrics of stage `episode` are given."""

    plan: IngestPlan
    timeline: Timeline
    """Less the ticks that damaged messages would have fed."""
    signals: Mapping[str, NDArray[np.floating]]
    """Feature → values as stored (T, D)."""
    samples: Mapping[str, Sequence[ImageSample]]
    """Image or depth feature → audited frames, spread over the episode, in tick order; of depth, `FrameSample` only."""
    num_frames_stored: Mapping[str, int]
    """Image or depth feature → ticks whose frame can be found in the published shards."""
    decode_faults: Mapping[str, Sequence[DecodeFault]]
    """Feature → why messages could not be decoded; their ticks are invalid in `timeline`."""
    num_unmeasured: Mapping[str, int]
    """Signal → messages that say "not measured"; their ticks are invalid as well."""
    jpeg_warnings: Mapping[str, Sequence[str]]
    """Image feature whose JPEGs were copied → what libjpeg warns of in audited ones, one text a frame that has any."""
    num_frames_encoded: Mapping[str, int]
    """Image or depth feature → messages that a stored frame was made from."""
    num_frames_repeated: Mapping[str, int]
    """Image or depth feature → how many of those gave the same bytes as the message before."""


@dataclass(frozen=True, slots=True)
class PreviewEvidence:
    """What the metrics of stage `preview` are given."""

    num_ticks: int
    num_frames_decoded: int
    """Frames that came out of the preview when it was decoded from its first to its last."""
    psnr_db: Sequence[float]
    """Of sampled preview frames against the training frames they show, at the preview's size."""


Evidence = RecordingEvidence | TimelineEvidence | EpisodeEvidence | PreviewEvidence


@dataclass(frozen=True, slots=True)
class Measurement:
    """One number of one subject."""

    subject: str
    """Channel, feature, or `recording`."""
    value: float
    """In the metric's unit; nan where there was nothing to measure."""
    note: str = ""
    """What a reader should know about this number; empty for most."""
    remedy: str = ""
    """What can be done where it is beyond the threshold, as a clause without a full stop; empty where there is no better
    answer than the check's own."""
    is_judged: bool = True
    """False: told, but no reason to fail (a channel of which the profile expects no rate, say)."""


class Metric(Protocol):
    """One thing that is measured."""

    name: str
    """Also the name of its check; unique."""
    stage: Stage
    unit: str
    """`ms`, `dB`, `%`, `messages`…"""
    direction: Direction
    """Which way is better: a value passes at the threshold and on the better side of it."""
    threshold: float | None
    """Default; None: measured but not judged."""
    severity: Severity
    """Default."""
    description: str
    """One sentence for the web UI: what it measures and what a failure means."""

    # Any: every metric takes the evidence of its own stage, and names that type.
    def measure(self, evidence: Any) -> list[Measurement]:
        """One measurement a subject; empty where the metric has no subject (no depth camera, say)."""
        ...


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A metric judged."""

    name: str
    stage: Stage
    unit: str
    direction: Direction
    threshold: float | None
    severity: Literal["error", "warn"]
    description: str
    measurements: tuple[Measurement, ...]
    failed_subjects: tuple[str, ...]

    @property
    def is_passed(self) -> bool:
        """Nothing that is judged is beyond the threshold."""
        return not self.failed_subjects

    @property
    def is_blocking(self) -> bool:
        """It failed, and what is downstream of it must not be made."""
        return bool(self.failed_subjects) and self.severity == "error"

    @property
    def worst(self) -> float:
        """The worst value over the subjects that are judged, else over all; nan where nothing was measured."""
        known = [m for m in self.measurements if not np.isnan(m.value)]
        values = [m.value for m in known if m.is_judged] or [m.value for m in known]
        if not values:
            return float("nan")
        return min(values) if self.direction == "higher" else max(values)
