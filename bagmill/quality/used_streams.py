"""The streams of a recording that a profile makes features from: the subjects of the metrics on time stamps."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.plan.streams import clock_of
from bagmill.profile import Clock
from bagmill.quality.metric import Measurement, RecordingEvidence
from bagmill.streams.index import Stream


@dataclass(frozen=True, slots=True)
class UsedStream:
    """A channel by the clock that features are made from it with."""

    subject: str
    """The topic; with the clock's name where the channel is used by more than one."""
    stream: Stream
    clock: Clock
    expected_rate_hz: float | None

    @property
    def has_stamps(self) -> bool:
        """The channel's messages carry this clock's stamps."""
        return self.clock != "header" or self.stream.has_header_stamps

    @property
    def stamps_ns(self) -> NDArray[np.int64]:
        """(N,) stamps by the clock, as recorded."""
        return self.stream.time_ns(self.clock)

    @property
    def standing(self) -> str:
        """What is said of messages between which no time passes."""
        stamps = self.stamps_ns
        return "at one instant" if bool((stamps == stamps[:1]).all()) else "whose stamps never rise"

    def unmeasured(self, note: str) -> Measurement:
        """That nothing could be measured, and why."""
        return Measurement(self.subject, float("nan"), note, is_judged=False)


def used_streams(evidence: RecordingEvidence) -> list[UsedStream]:
    """Channels with messages that a feature is made from, once for every clock, in the profile's order.

    A topic that was recorded with two schemas is left out: no plan is made of it.
    """
    profile = evidence.profile
    expected: dict[tuple[str, Clock], float | None] = {}
    for spec in profile.features.values():
        for part in spec.sources:
            key = (part.channel, clock_of(part, profile))
            expected[key] = expected.get(key) or part.expected_rate_hz
    topics = [topic for topic, _ in expected]
    used = []
    for (topic, clock), rate_hz in expected.items():
        streams = [stream for stream in evidence.index.streams_of(topic) if stream.num_messages]
        if len(streams) == 1:
            subject = topic if topics.count(topic) == 1 else f"{topic} ({clock} clock)"
            used.append(UsedStream(subject, streams[0], clock, rate_hz))
    return used
