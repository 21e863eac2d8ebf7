"""Profile and recording brought together: what exactly will be done, before anything expensive is.

`resolve` is pure. Every mismatch is told at once; the later stages take the plan and look nothing up again.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bagmill.alignment.rules import RULES
from bagmill.errors import PlanError
from bagmill.messages import field_width
from bagmill.profile import Clock, FeatureKind, FeatureSpec, Profile, feature_kind, rule_of
from bagmill.recordings.records import Channel
from bagmill.streams.index import RecordingIndex, Stream


@dataclass(frozen=True, slots=True)
class FeaturePlan:
    """One feature, complete: nothing in it is left to a default."""

    name: str
    kind: FeatureKind
    spec: FeatureSpec
    """What the profile says."""
    channel: Channel
    clock: Clock
    rule: str
    tolerance_ns: int
    shape: tuple[int, ...]
    """Of one tick's value: (H, W, 3) for images, (H, W) for depth, (D,) for signals."""
    dtype: np.dtype[np.generic]
    names: tuple[str, ...]
    """Signals: what every number is called, for people; empty for pictures."""
    joints: tuple[str, ...]
    """Signals: the joints to take from messages that name theirs, in this order; empty where messages name none."""
    is_jpeg_source: bool
    """Images: the messages are JPEG already, their bytes are copied."""


@dataclass(frozen=True, slots=True)
class IngestPlan:
    """What an episode will be made of."""

    profile: Profile
    index: RecordingIndex
    features: tuple[FeaturePlan, ...]
    omitted: tuple[str, ...]
    """Features the profile calls optional and the recording lacks."""

    def stream_of(self, feature: FeaturePlan) -> Stream:
        """The stream that feeds a feature."""
        return self.index.streams[feature.channel.id]


def resolve(profile: Profile, index: RecordingIndex) -> IngestPlan:
    """Bring a profile and a recording together.

    Raises:
        PlanError: Every mismatch between the two, each naming feature, channel, what was expected and what is there.
    """
    problems: list[str] = []
    features: list[FeaturePlan] = []
    omitted: list[str] = []
    for name, spec in profile.features.items():
        problems += (f"feature {name}: {problem}" for problem in _problems_of_rule(name, spec))
        streams = [stream for stream in index.streams_of(spec.channel) if stream.num_messages]
        if not streams and not spec.required:
            omitted.append(name)
            continue
        feature_problems, feature = _resolve_feature(profile, name, spec, streams, index)
        problems += (f"feature {name}: {problem}" for problem in feature_problems)
        if feature is not None:
            features.append(feature)
    if not problems and not features:
        problems.append("none of the profile's features is in the recording")
    if problems:
        raise PlanError(problems, path=index.path, remedy=f"Change profile {profile.name} or check the recording")
    return IngestPlan(profile, index, tuple(features), tuple(omitted))


def _resolve_feature(
    profile: Profile, name: str, spec: FeatureSpec, streams: list[Stream], index: RecordingIndex
) -> tuple[list[str], FeaturePlan | None]:
    if len(streams) != 1:
        return [_why_no_stream(spec, streams, index)], None
    stream = streams[0]
    content = stream.content
    kind = feature_kind(name)
    clock = spec.clock or profile.clock
    problems: list[str] = []
    if clock == "header" and not stream.has_header_stamps:
        problems.append(
            f"clock `header`, but messages of {spec.channel} carry no header stamps or zero ones; use clock `log`"
        )
    if content.problem is not None:
        return [*problems, f"{spec.channel}: {content.problem}"], None
    wanted = {"image": "image", "depth": "depth", "signal": "numeric"}[kind]
    if content.kind != wanted:
        found = "nothing to train on" if content.kind == "none" else f"{content.kind} ({content.encoding or 'fields'})"
        problems.append(f"expected {wanted} messages ({stream.channel.schema_name}) on {spec.channel}, found {found}")
        return problems, None
    names: tuple[str, ...] = ()
    joints: tuple[str, ...] = ()
    if kind == "signal":
        signal_problems, joints, num_values = _resolve_numbers(spec, stream)
        names = joints or _numbered(spec.field or "", num_values)
        problems += signal_problems
        problems += _problems_of_width(rule_of(name, spec), len(names))
        if not signal_problems and len(spec.limits) not in (0, 1, len(names)):
            problems.append(f"expected 1 or {len(names)} pairs of limits, found {len(spec.limits)}")
    if problems:
        return problems, None
    size = (content.height or 0, content.width or 0)
    shape = {"image": (*size, 3), "depth": size, "signal": (len(names),)}[kind]
    dtype = {"image": "uint8", "depth": "uint16", "signal": spec.dtype}[kind]
    return [], FeaturePlan(
        name=name,
        kind=kind,
        spec=spec,
        channel=stream.channel,
        clock=clock,
        rule=rule_of(name, spec),
        tolerance_ns=round(spec.tolerance_ms * 1e6),
        shape=shape,
        dtype=np.dtype(dtype),
        names=names,
        joints=joints,
        is_jpeg_source=kind == "image" and content.encoding == "jpeg",
    )


def _problems_of_rule(name: str, spec: FeatureSpec) -> list[str]:
    rule = rule_of(name, spec)
    if rule not in RULES:
        return [f"no alignment rule is called `{rule}`; known: {', '.join(RULES)}"]
    if feature_kind(name) != "signal" and RULES[rule].is_interpolating:
        return [f"pictures cannot be interpolated, which rule `{rule}` does"]
    return []


def _problems_of_width(rule: str, num_values: int) -> list[str]:
    if rule not in RULES or not num_values or num_values % RULES[rule].group_size == 0:
        return []
    return [f"rule `{rule}` takes numbers by {RULES[rule].group_size}, found {num_values}"]


def _why_no_stream(spec: FeatureSpec, streams: list[Stream], index: RecordingIndex) -> str:
    if streams:
        schemas = ", ".join(stream.channel.schema_name for stream in streams)
        return f"channel {spec.channel} was recorded with {len(streams)} different schemas ({schemas})"
    if index.streams_of(spec.channel):
        return f"channel {spec.channel} has no messages"
    topics = sorted({stream.channel.topic for stream in index.streams if stream.num_messages})
    shown = ", ".join(topics[:12]) + (f" and {len(topics) - 12} more" if len(topics) > 12 else "")
    return f"no channel {spec.channel}; the recording has {shown or 'no messages at all'}"


def _resolve_numbers(spec: FeatureSpec, stream: Stream) -> tuple[list[str], tuple[str, ...], int]:
    """A signal's problems, the joints to take, and how many numbers that gives."""
    fields = stream.content.fields
    num_values = field_width(fields, spec.field or "")
    joints = stream.content.names
    if num_values is None:
        known = ", ".join(list(fields)[:12]) or "none"
        return [f"no numeric field `{spec.field}` in {stream.channel.schema_name}; it has {known}"], (), 0
    if spec.names and not joints:
        return [f"`names` are given, but the messages on {spec.channel} name no joints"], (), 0
    if unknown := [name for name in spec.names if name not in joints]:
        return [f"no joint called {', '.join(unknown)} on {spec.channel}; it has {', '.join(joints)}"], (), 0
    if joints and num_values == len(joints) and "[" not in (spec.field or ""):
        chosen = spec.names or joints
        return [], chosen, len(chosen)
    if spec.names:
        return [f"`names` are given, but `{spec.field}` does not hold one number a joint"], (), 0
    return [], (), num_values


def _numbered(field: str, num_values: int) -> tuple[str, ...]:
    return (field,) if num_values == 1 else tuple(f"{field}[{n}]" for n in range(num_values))
