"""Stage `timeline`: the plan, the ticks, and what they tell people."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from bagmill.alignment import AlignmentRequest, Timeline, align, combine_parts, in_stream
from bagmill.plan import FeaturePlan, IngestPlan
from bagmill.quality import CheckResult, TimelineEvidence, judge


def make_timeline(plan: IngestPlan) -> Timeline:
    """Lay the plan's streams on one clock.

    Raises:
        AlignmentError: The streams share no time, or their stamps make no sense.
    """
    parts = [(feature, part) for feature in plan.features for part in feature.parts]
    requests = {
        feature.subject_of(part): AlignmentRequest(
            stamps_ns=plan.stamps_of(part),
            rule=part.rule,
            tolerance_ns=part.tolerance_ns,
            is_required=feature.spec.required,
        )
        for feature, part in parts
    }
    aligned = align(requests, rate_hz=plan.profile.rate_hz, span=plan.profile.span)
    laid = {
        (feature.name, part.label): in_stream(aligned.features[feature.subject_of(part)], part.rows)
        for feature, part in parts
    }
    return Timeline(
        time_ns=aligned.time_ns,
        features={
            feature.name: combine_parts([laid[feature.name, part.label] for part in feature.parts], aligned.time_ns)
            for feature in plan.features
        },
        parts={key: part for key, part in laid.items() if key[1]},
    )


def judge_timeline(plan: IngestPlan, timeline: Timeline) -> tuple[CheckResult, ...]:
    """The checks that need stamps alone, before anything expensive is read."""
    return judge("timeline", TimelineEvidence(plan, timeline), plan.profile)


def describe_timeline(plan: IngestPlan, timeline: Timeline) -> dict[str, object]:
    """What the alignment gave, as plain values with units in their keys."""
    return {
        "num_ticks": timeline.num_ticks,
        "rate_hz": float(plan.profile.rate_hz),
        "duration_s": round(timeline.duration_ns / 1e9, 3),
        "start_ns": int(timeline.time_ns[0]),
        "features": [_describe_feature(feature, timeline) for feature in plan.features],
        "omitted_features": list(plan.omitted),
    }


def _describe_feature(feature: FeaturePlan, timeline: Timeline) -> dict[str, object]:
    aligned = timeline.features[feature.name]
    skew_ms = np.abs(timeline.skew_ns(feature.name)[aligned.is_valid]) / 1e6
    p50, p99, largest = np.percentile(skew_ms, (50, 99, 100)).round(3).tolist() if len(skew_ms) else (None,) * 3
    return {
        "feature": feature.name,
        "channel": feature.topics,
        "clock": _each(part.clock for part in feature.parts),
        "rule": _each(part.rule for part in feature.parts),
        "valid_percent": round(100 * float(aligned.is_valid.mean()), 2),
        "interpolated_percent": round(100 * float(aligned.is_interpolated.mean()), 2),
        "skew_p50_ms": p50,
        "skew_p99_ms": p99,
        "skew_max_ms": largest,
    }


def _each(values: Iterable[str]) -> str:
    return ", ".join(dict.fromkeys(values))
