"""The plan itself: plain data, complete, nothing in it left to a default."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.profile import Clock, FeatureKind, FeatureSpec, PartSpec, Profile, StampSpec
from bagmill.recordings.records import Channel
from bagmill.streams.index import RecordingIndex, Stream


@dataclass(frozen=True, slots=True)
class PartPlan:
    """Some columns of a feature, or all of them: the messages that feed them, and how they are laid on the timeline.

    A signal has several parts where its profile says so, and where several publishers share its channel, each with some of
    the joints.
    """

    label: str
    """What its lineage is called behind the feature's name; empty where the feature has one part only."""
    spec: PartSpec
    """What the profile says."""
    channel: Channel
    clock: Clock
    stamp: StampSpec | None
    """Where in its messages the stamps by `header` are; None: in their header."""
    rule: str
    tolerance_ns: int
    rows: NDArray[np.int64]
    """(M,) the messages that feed it, as rows of the channel's stream, in the recording's order. Messages that hold nothing
    of it are left out."""
    field: str = ""
    """Signals: path to the numbers."""
    joints: tuple[str, ...] = ()
    """Signals: what to take from messages that name their numbers, in this order; empty where they are taken by place."""
    is_orientation: bool = False
    """Signals: every four numbers are a quaternion, of which length 0 says "not measured"."""
    columns: tuple[int, ...] = ()
    """Signals: the feature's columns that its numbers fill, in their order."""


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """One feature, complete."""

    name: str
    kind: FeatureKind
    spec: FeatureSpec
    """What the profile says."""
    parts: tuple[PartPlan, ...]
    """At least one; pictures have one."""
    shape: tuple[int, ...]
    """Of one tick's value: (H, W, 3) for images, (H, W) for depth, (D,) for signals."""
    dtype: np.dtype[np.generic]
    names: tuple[str, ...] = ()
    """Signals: what every column is called; empty for pictures."""
    units: tuple[str | None, ...] = ()
    """Signals: of every column; None where nobody says."""
    is_jpeg_source: bool = False
    """Images: the messages are JPEG already, their bytes are copied."""

    @property
    def channel(self) -> Channel:
        """Of its first part."""
        return self.parts[0].channel

    @property
    def clock(self) -> Clock:
        """Of its first part."""
        return self.parts[0].clock

    @property
    def rule(self) -> str:
        """Of its first part."""
        return self.parts[0].rule

    @property
    def tolerance_ns(self) -> int:
        """Of its first part."""
        return self.parts[0].tolerance_ns

    @property
    def named(self) -> tuple[bool, ...]:
        """Signals: of every column, whether its name is the recording's or the profile's own, not only a numbered place."""
        own = {
            column
            for part in self.parts
            for column in part.columns
            if part.joints or part.spec.names or (part.spec.name is not None and self.spec.parts)
        }
        return tuple(column in own for column in range(len(self.names)))

    @property
    def is_named(self) -> bool:
        """Signals: every column's name is the recording's or the profile's own."""
        return bool(self.named) and all(self.named)

    def subject_of(self, part: PartPlan) -> str:
        """What one of its parts is called to people: the feature's name, with the part's behind it where there are several."""
        return f"{self.name}.{part.label}" if part.label else self.name

    @property
    def topics(self) -> str:
        """Every channel it is made from, for people."""
        return ", ".join(dict.fromkeys(part.channel.topic for part in self.parts))


@dataclass(frozen=True, slots=True)
class IngestPlan:
    """What an episode will be made of."""

    profile: Profile
    index: RecordingIndex
    features: tuple[FeaturePlan, ...]
    omitted: tuple[str, ...]
    """Features the profile calls optional and the recording lacks."""

    def stream_of(self, part: PartPlan | FeaturePlan) -> Stream:
        """The stream that feeds a part, or a feature's first part."""
        return self.index.streams[part.channel.id]

    def stamps_of(self, part: PartPlan) -> NDArray[np.int64]:
        """(M,) stamps of a part's messages by its clock, ns, in the recording's order."""
        return self.index.stamps_of(self.stream_of(part), part.clock, part.stamp)[part.rows]
