"""Profile and index → plan, or every mismatch between the two at once."""

from __future__ import annotations

import numpy as np

from bagmill.alignment.rules import RULES
from bagmill.errors import PlanError
from bagmill.plan.plan import FeaturePlan, IngestPlan, PartPlan
from bagmill.plan.signal import resolve_signal, unknown_rule
from bagmill.plan.streams import clock_of, find_stream, problems_of_clock
from bagmill.profile import FeatureSpec, Profile, feature_kind
from bagmill.streams.index import RecordingIndex


def resolve(profile: Profile, index: RecordingIndex) -> IngestPlan:
    """Bring a profile and a recording together.

    Raises:
        PlanError: Every mismatch between the two, each naming feature, channel, what was expected and what is there.
    """
    problems: list[str] = []
    features: list[FeaturePlan] = []
    omitted: list[str] = []
    for name, spec in profile.features.items():
        is_there = all(any(s.num_messages for s in index.streams_of(topic)) for topic in spec.channels)
        if not is_there and not spec.required:
            omitted.append(name)
            problems += (f"feature {name}: {problem}" for part in spec.sources for problem in unknown_rule(part.rule))
            continue
        found = (
            resolve_signal(name, spec, profile=profile, index=index)
            if feature_kind(name) == "signal"
            else _resolve_camera(name, spec, profile=profile, index=index)
        )
        if isinstance(found, FeaturePlan):
            features.append(found)
        else:
            problems += (f"feature {name}: {problem}" for problem in found)
    if not problems and not features:
        problems.append("none of the profile's features is in the recording")
    if problems:
        raise PlanError(problems, path=index.path, remedy=f"Change profile {profile.name} or check the recording")
    return IngestPlan(profile, index, tuple(features), tuple(omitted))


def _resolve_camera(
    name: str, spec: FeatureSpec, *, profile: Profile, index: RecordingIndex
) -> FeaturePlan | list[str]:
    """The plan of an image or depth feature, or what speaks against it."""
    part = spec.sources[0]
    kind = feature_kind(name)
    rule = part.rule or "nearest"
    problems = unknown_rule(rule)
    if not problems and RULES[rule].is_interpolating:
        problems.append(f"pictures cannot be interpolated, which rule `{rule}` does")
    stream = find_stream(part, index, wanted=kind)
    if isinstance(stream, str):
        return [*problems, stream]
    content = stream.content
    clock = clock_of(part, profile)
    rows = np.arange(stream.num_messages, dtype=np.int64)
    problems += problems_of_clock(part, clock, index.stamps_of(stream, clock, part.stamp))
    if problems:
        return problems
    size = (content.height or 0, content.width or 0)
    return FeaturePlan(
        name=name,
        kind=kind,
        spec=spec,
        parts=(
            PartPlan(
                label="",
                spec=part,
                channel=stream.channel,
                clock=clock,
                stamp=part.stamp,
                rule=rule,
                tolerance_ns=round((part.tolerance_ms or spec.tolerance_ms) * 1e6),
                rows=rows,
            ),
        ),
        shape=(*size, 3) if kind == "image" else size,
        dtype=np.dtype("uint8" if kind == "image" else "uint16"),
        is_jpeg_source=kind == "image" and content.encoding == "jpeg",
    )
