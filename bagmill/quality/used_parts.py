"""The parts of a plan's features with their stamps: the subjects of the metrics on what feeds the ticks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.timeline import AlignedFeature
from bagmill.profile import Clock
from bagmill.quality.clock_steps import other_clock
from bagmill.quality.metric import TimelineEvidence


@dataclass(frozen=True, slots=True)
class UsedPart:
    """The messages that may feed one part of a feature, in the order of recording."""

    subject: str
    """The feature's name, with the part's behind it where there are several."""
    feature: str
    is_required: bool
    topic: str
    clock: Clock
    rows: NDArray[np.int64]
    """(M,) of its messages in the channel's stream."""
    stamps_ns: NDArray[np.int64]
    """(M,) by the clock in use."""
    log_ns: NDArray[np.int64]
    """(M,) when they were recorded."""
    header_ns: NDArray[np.int64]
    """(M,) the stamps inside the messages; `NO_STAMP` where there is none."""
    aligned: AlignedFeature
    """Its rows are the stream's."""

    def other_clock(self) -> tuple[Clock, NDArray[np.int64]] | None:
        """Another clock (M,) that stamped every one of these messages, in order; None where there is none."""
        return other_clock(self.clock, log_ns=self.log_ns, header_ns=self.header_ns)


def used_parts(evidence: TimelineEvidence) -> Iterator[UsedPart]:
    """Parts with messages, in the profile's order."""
    plan, timeline = evidence.plan, evidence.timeline
    for feature in plan.features:
        for part in feature.parts:
            stream = plan.stream_of(part)
            yield UsedPart(
                subject=feature.subject_of(part),
                feature=feature.name,
                is_required=feature.spec.required,
                topic=part.channel.topic,
                clock=part.clock,
                rows=part.rows,
                stamps_ns=plan.stamps_of(part),
                log_ns=stream.log_time_ns[part.rows],
                header_ns=plan.index.stamps_of(stream, "header", part.stamp)[part.rows],
                aligned=timeline.of_part(feature.name, part.label),
            )
