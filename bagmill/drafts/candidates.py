"""Which of a recording's channels can become features, and why the others cannot."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from bagmill.drafts.fields import choose_fields, is_joint_state, is_trajectory
from bagmill.drafts.inventory import innermost, is_bookkeeping
from bagmill.drafts.naming import is_command
from bagmill.drafts.not_data import why_not_data
from bagmill.recordings.differing import say_what_differs
from bagmill.streams.index import RecordingIndex, Stream

Role = Literal["image", "depth", "state", "action", "signal"]
_TRANSPORT = re.compile(r"/(compressed|compressedDepth|theora|ffmpeg|zstd)$")
_NOTHING_IN_IT = "no pictures and no numbers in its messages"
_MOST_TOLD = 3
_OF_THE_ROBOT = frozenset(
    (
        "Accel",
        "AccelStamped",
        "Imu",
        "LaserScan",
        "LocationFix",
        "NavSatFix",
        "Odometry",
        "Pose",
        "Pose2D",
        "PoseInFrame",
        "PoseStamped",
        "PoseWithCovariance",
        "PoseWithCovarianceStamped",
        "Range",
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
_ROBOT_WORD = re.compile(
    r"(joints?|gripper|hand|fingers?|arm|leg|wheels?|motors?|servos?|encoders?|imu|odom(etry)?|pose|tcp|eef?|end_?effector|force"
    r"|torque|wrench|tactile|twist|velocity|velocities|positions?|lowstate|lowcmd|robot_?state|proprio(ception)?|qpos|qvel"
    r"|observations?|rpy|heading|altitude|steering|throttle|brake|speed|height)"
    r"(_?(left|right|l|r|\d+|states?|pos|vel|raw|data|status|closed|width|positions?|velocit(y|ies)|efforts?|angles?|torques?))*",
    re.IGNORECASE,
)
"""Words of topics that tell of the same."""


_HINTS = frozenset(
    (
        "accelerometer",
        "angles",
        "attitude",
        "encoder",
        "encoders",
        "force",
        "gripper",
        "gyro",
        "imu",
        "joint",
        "joints",
        "motor",
        "motors",
        "odom",
        "odometry",
        "pose",
        "position",
        "positions",
        "state",
        "states",
        "tcp",
        "torque",
        "torques",
        "twist",
        "velocity",
        "velocities",
        "wheel",
        "wheels",
        "wrench",
    )
)


@dataclass(frozen=True, slots=True, eq=False)
class Candidate:
    """A channel that can become one feature or several."""

    stream: Stream
    role: Role
    is_telling: bool
    """Pictures, joints, commands, motion: what a policy is usually trained on. The rest is suggested."""
    is_hinting: bool = False
    """A word inside its topic's last one says so: `vehicle_odometry`. Taken where nothing else tells of the robot."""

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
    if is_trajectory(schema_name):
        return Candidate(stream, "action", is_telling=True)
    kind = re.split(r"[/.]", schema_name)[-1]
    is_telling = kind in _OF_THE_ROBOT or is_command(topic) or _is_named_after_robot(topic)
    return Candidate(stream, "signal", is_telling=is_telling, is_hinting=_is_hinting(topic))


def _is_named_after_robot(topic: str) -> bool:
    """One of a topic's last two words is a part of a robot, or what such a part measures: `/gripper/closed`."""
    return any(_ROBOT_WORD.fullmatch(word) for word in topic.strip("/").split("/")[-2:])


def _is_hinting(topic: str) -> bool:
    return not _HINTS.isdisjoint(re.split(r"[_.-]", topic.rstrip("/").rsplit("/", 1)[-1].lower()))


def _why_left_out(stream: Stream, index: RecordingIndex) -> str | None:
    content, topic = stream.content, stream.channel.topic
    reason = "no messages" if not stream.num_messages else why_not_data(stream.channel.schema_name, topic)
    if reason := reason or content.problem:
        return reason
    if content.kind == "none":
        return _NOTHING_IN_IT
    if stream.num_messages == 1:
        what = "picture" if content.kind in ("image", "depth") else "message"
        return f"a single {what}, where a timeline needs two"
    others = [other for other in index.streams_of(topic) if other.num_messages]
    if len(others) > 1:
        return say_what_differs([other.channel for other in others]).removeprefix(f"{topic} was ")
    return _why_no_picture(stream, index) if content.kind in ("image", "depth") else _why_no_field(stream)


def _why_no_picture(stream: Stream, index: RecordingIndex) -> str | None:
    raw = _same_camera(stream, index.streams)
    if raw is None:
        return None
    return f"the same pictures as {raw}, compressed; to use them instead, write this topic as its `channel`"


def _why_no_field(stream: Stream) -> str | None:
    content, channel = stream.content, stream.channel
    if is_joint_state(channel.schema_name) or is_trajectory(channel.schema_name):
        return None
    choices, left_out = choose_fields(stream)
    if choices:
        return None
    if left_out:
        return "; ".join(f"`{field}`: {reason}" for field, reason in left_out)
    fields = sorted(innermost(content.fields), key=is_bookkeeping)
    shown = ", ".join(fields[:8]) + (f" and {len(fields) - 8} more" if len(fields) > 8 else "")
    line = f"{{channel: {channel.topic}, field: {fields[0]}}}"
    return f"no numbers that one would train on for sure; to use one of {shown}, write `some_name: {line}`"


def _same_camera(stream: Stream, streams: Sequence[Stream]) -> str | None:
    """The uncompressed topic beside a compressed one, as image_transport names them."""
    topic = _TRANSPORT.sub("", stream.channel.topic)
    if topic == stream.channel.topic:
        return None
    raws = (other for other in streams if other.channel.topic == topic and other.num_messages >= stream.num_messages)
    return next((raw.channel.topic for raw in raws if raw.content.kind == stream.content.kind), None)
