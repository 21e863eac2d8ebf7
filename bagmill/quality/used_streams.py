"""The streams of a recording that a profile makes features from: the subjects of the metrics on time stamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import PlanError
from bagmill.plan import resolve
from bagmill.plan.streams import clock_of
from bagmill.profile import Clock, Profile
from bagmill.quality.metric import Measurement, RecordingEvidence
from bagmill.streams.index import NO_STAMP, RecordingIndex, Stream


@dataclass(frozen=True, slots=True)
class UsedStream:
    """Messages of a channel that features are made from, by the clock in use; of a channel that publishers share, one's."""

    subject: str
    """The topic; with the feature and the clock's name where the channel is used in more than one way."""
    clock: Clock
    expected_rate_hz: float | None
    stamps_ns: NDArray[np.int64]
    """(M,) stamps by the clock, in the order of recording."""
    log_ns: NDArray[np.int64]
    """(M,)"""
    header_ns: NDArray[np.int64]
    """(M,) `NO_STAMP` where a message has none."""

    @property
    def num_messages(self) -> int:
        """M."""
        return len(self.stamps_ns)

    @property
    def has_stamps(self) -> bool:
        """Every message carries this clock's stamp."""
        return self.clock != "header" or bool(np.all((self.stamps_ns != NO_STAMP) & (self.stamps_ns != 0)))

    @property
    def standing(self) -> str:
        """What is said of messages between which no time passes."""
        return "at one instant" if bool((self.stamps_ns == self.stamps_ns[:1]).all()) else "whose stamps never rise"

    def unmeasured(self, note: str) -> Measurement:
        """That nothing could be measured, and why."""
        return Measurement(self.subject, float("nan"), note, is_judged=False)


@dataclass(frozen=True, slots=True)
class _Use:
    feature: str
    stream: Stream
    clock: Clock
    expected_rate_hz: float | None
    rows: NDArray[np.int64]
    stamps_ns: NDArray[np.int64]

    @property
    def key(self) -> tuple[str, Clock, bytes]:
        return self.stream.channel.topic, self.clock, self.rows.tobytes()


def used_streams(evidence: RecordingEvidence) -> list[UsedStream]:
    """Channels with messages that a feature is made from, in the profile's order, once for every clock and publisher.

    A topic that was recorded with two schemas is left out: no plan is made of it.
    """
    uses: dict[tuple[str, Clock, bytes], list[_Use]] = {}
    for name in evidence.profile.features:
        for use in _uses(name, evidence.profile, evidence.index):
            uses.setdefault(use.key, []).append(use)
    used = []
    for (topic, clock, _), alike in uses.items():
        first = alike[0]
        same_topic = [key for key in uses if key[0] == topic]
        ways = [
            first.feature if len({rows for _, _, rows in same_topic}) > 1 else "",
            f"{clock} clock" if len({each for _, each, _ in same_topic}) > 1 else "",
        ]
        way = ", ".join(filter(None, ways))
        used.append(
            UsedStream(
                subject=f"{topic} ({way})" if way else topic,
                clock=clock,
                expected_rate_hz=next((use.expected_rate_hz for use in alike if use.expected_rate_hz), None),
                stamps_ns=first.stamps_ns,
                log_ns=first.stream.log_time_ns[first.rows],
                header_ns=first.stream.header_time_ns[first.rows],
            )
        )
    return used


def _uses(name: str, profile: Profile, index: RecordingIndex) -> Iterator[_Use]:
    """What one feature takes of which streams: as planned, or all of them where no plan can be made."""
    spec = profile.features[name]
    alone = profile.model_copy(update={"features": {name: spec}})
    try:
        plan = resolve(alone, index)
    except PlanError:
        for source in spec.sources:
            streams = [stream for stream in index.streams_of(source.channel) if stream.num_messages]
            if len(streams) == 1:
                rows = np.arange(streams[0].num_messages, dtype=np.int64)
                clock = clock_of(source, profile)
                yield _Use(name, streams[0], clock, source.expected_rate_hz, rows, streams[0].time_ns(clock))
        return
    for feature in plan.features:
        for part in feature.parts:
            subject = f"{name}.{part.label}" if part.label else name
            stream, stamps_ns = plan.stream_of(part), plan.stamps_of(part)
            yield _Use(subject, stream, part.clock, part.spec.expected_rate_hz, part.rows, stamps_ns)
