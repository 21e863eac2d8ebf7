"""Which of a recording's channels can become features, and why the others cannot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bagmill.drafts.fields import choose_fields, innermost, is_joint_state, why_not_trained_on
from bagmill.drafts.naming import is_command, is_named_command
from bagmill.recordings.differing import say_what_differs
from bagmill.streams.index import RecordingIndex, Stream

Role = Literal["image", "depth", "state", "action", "signal"]
_TRANSPORT = re.compile(r"/(compressed|compressedDepth|theora|ffmpeg|zstd)$")
_NOTHING_IN_IT = "nothing to train on in it"
_MOST_TOLD = 3
_OF_THE_ROBOT = frozenset(
    (
        "Accel",
        "AccelStamped",
        "Imu",
        "NavSatFix",
        "Odometry",
        "Pose",
        "PoseStamped",
        "PoseWithCovariance",
        "PoseWithCovarianceStamped",
        "Transform",
        "TransformStamped",
        "Twist",
        "TwistStamped",
        "TwistWithCovariance",
        "TwistWithCovarianceStamped",
        "Wrench",
        "WrenchStamped",
    )
)
"""Message types that tell of a robot's motion or of what it feels."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A channel that can become one feature or several."""

    stream: Stream
    role: Role
    is_telling: bool
    """Pictures, joints, commands, motion: what a policy is usually trained on. The rest is suggested."""

    @property
    def topic(self) -> str:
        """As recorded."""
        return self.stream.channel.topic


def find_candidates(index: RecordingIndex) -> tuple[tuple[Candidate, ...], tuple[tuple[Stream, str], ...]]:
    """Every channel is one or the other: a candidate, or left out for a reason."""
    candidates: list[Candidate] = []
    left_out: list[tuple[Stream, str]] = []
    for stream in index.streams:
        if reason := _why_left_out(stream, index):
            left_out.append((stream, reason))
        else:
            candidates.append(_candidate(stream))
    return tuple(candidates), tuple(left_out)


def why_no_candidates(index: RecordingIndex) -> str:
    """Why none of a recording's channels can become a feature, as a clause."""
    if not index.num_messages_from_scan:
        return "no messages in it"
    told = [(stream.channel.topic, reason) for stream, reason in find_candidates(index)[1] if stream.num_messages]
    holding = [(topic, reason) for topic, reason in told if reason != _NOTHING_IN_IT]
    if not holding:
        return "nothing to train on in it: no channel holds pictures or numbers"
    shown = "; ".join(dict.fromkeys(f"{topic}: {reason}" for topic, reason in holding[:_MOST_TOLD]))
    more = f"; and {len(holding) - _MOST_TOLD} more" if len(holding) > _MOST_TOLD else ""
    return f"no channel can become a feature ({shown}{more})"


def _candidate(stream: Stream) -> Candidate:
    topic, schema_name = stream.channel.topic, stream.channel.schema_name
    if stream.content.kind == "image":
        return Candidate(stream, "image", is_telling=True)
    if stream.content.kind == "depth":
        return Candidate(stream, "depth", is_telling=True)
    if is_joint_state(schema_name):
        return Candidate(stream, "action" if is_command(topic, of_joints=True) else "state", is_telling=True)
    kind = re.split(r"[/.]", schema_name)[-1]
    return Candidate(stream, "signal", is_telling=kind in _OF_THE_ROBOT or is_named_command(topic))


def _why_left_out(stream: Stream, index: RecordingIndex) -> str | None:
    content = stream.content
    reason = "no messages" if not stream.num_messages else None
    reason = reason or why_not_trained_on(stream.channel.schema_name) or content.problem
    if reason is not None:
        return reason
    if content.kind == "none" or stream.num_messages == 1:
        return _NOTHING_IN_IT if content.kind == "none" else "a single message"
    others = [other for other in index.streams_of(stream.channel.topic) if other.num_messages]
    if len(others) > 1:
        return say_what_differs([other.channel for other in others]).removeprefix(f"{stream.channel.topic} was ")
    if content.kind in ("image", "depth") and (raw := _same_camera(stream, index.streams)):
        return f"the same pictures as {raw}, compressed"
    if content.kind == "numeric" and not choose_fields(content.fields):
        return f"no numbers that one would train on for sure; it has {', '.join(list(innermost(content.fields))[:8])}"
    return None


def _same_camera(stream: Stream, streams: Sequence[Stream]) -> str | None:
    """The uncompressed topic beside a compressed one, as image_transport names them."""
    topic = _TRANSPORT.sub("", stream.channel.topic)
    if topic == stream.channel.topic:
        return None
    raws = (other for other in streams if other.channel.topic == topic and other.num_messages >= stream.num_messages)
    return next((raw.channel.topic for raw in raws if raw.content.kind == stream.content.kind), None)
