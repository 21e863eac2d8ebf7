"""The streams of a recording that a profile makes features from: the subjects of the metrics on time stamps."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import PlanError
from bagmill.plan import resolve
from bagmill.plan.streams import clock_of
from bagmill.profile import Clock, PartSpec, Profile, StampSpec
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
    topic: str
    clock: Clock
    stamp: StampSpec | None
    rows: NDArray[np.int64]
    stamps_ns: NDArray[np.int64]
    log_ns: NDArray[np.int64]
    header_ns: NDArray[np.int64]
    expected_rate_hz: float | None

    @property
    def key(self) -> tuple[str, Clock, tuple[bytes, StampSpec | None]]:
        """The same for parts that take the same messages by the same stamps."""
        return self.topic, self.clock, (self.rows.tobytes(), self.stamp)


def used_streams(evidence: RecordingEvidence) -> list[UsedStream]:
    """Channels with messages that a feature is made from, in the profile's order, once for every clock and publisher.

    A topic that was recorded with two schemas is left out: no plan is made of it.
    """
    uses = [use for name in evidence.profile.features for use in _uses(name, evidence.profile, evidence.index)]
    alike: dict[tuple[str, Clock, tuple[bytes, StampSpec | None]], list[_Use]] = {}
    for use in uses:
        alike.setdefault(use.key, []).append(use)
    used = []
    for (topic, clock, _), same in alike.items():
        ways = [
            same[0].feature if len({messages for each, _, messages in alike if each == topic}) > 1 else "",
            f"{clock} clock" if len({other for each, other, _ in alike if each == topic}) > 1 else "",
        ]
        way = ", ".join(filter(None, ways))
        used.append(
            UsedStream(
                subject=f"{topic} ({way})" if way else topic,
                clock=clock,
                expected_rate_hz=next((use.expected_rate_hz for use in same if use.expected_rate_hz), None),
                stamps_ns=same[0].stamps_ns,
                log_ns=same[0].log_ns,
                header_ns=same[0].header_ns,
            )
        )
    return used


def _uses(name: str, profile: Profile, index: RecordingIndex) -> Iterator[_Use]:
    """What one feature takes of which streams: as planned, or all of them where no plan can be made."""
    spec = profile.features[name]
    try:
        plan = resolve(profile.model_copy(update={"features": {name: spec}}), index)
    except PlanError:
        for source in spec.sources:
            streams = [stream for stream in index.streams_of(source.channel) if stream.num_messages]
            if len(streams) == 1:
                yield _whole(name, source, streams[0], clock_of(source, profile))
        return
    for feature in plan.features:
        for part in feature.parts:
            stream = plan.stream_of(part)
            yield _Use(
                feature=feature.subject_of(part),
                topic=part.channel.topic,
                clock=part.clock,
                stamp=part.stamp,
                rows=part.rows,
                stamps_ns=plan.stamps_of(part),
                log_ns=stream.log_time_ns[part.rows],
                header_ns=index.stamps_of(stream, "header", part.stamp)[part.rows],
                expected_rate_hz=part.spec.expected_rate_hz,
            )


def _whole(name: str, source: PartSpec, stream: Stream, clock: Clock) -> _Use:
    return _Use(
        feature=name,
        topic=stream.channel.topic,
        clock=clock,
        stamp=None,
        rows=np.arange(stream.num_messages, dtype=np.int64),
        stamps_ns=stream.time_ns(clock),
        log_ns=stream.log_time_ns,
        header_ns=stream.header_time_ns,
        expected_rate_hz=source.expected_rate_hz,
    )
