"""How much of a timeline every feature covers."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment import Timeline
from bagmill.alignment.order import StampOrder
from bagmill.plan import FeaturePlan, IngestPlan
from bagmill.quality.intervals import Intervals
from bagmill.quality.lost_messages import LostMessages
from bagmill.quality.metric import Measurement


def measure_coverage(
    plan: IngestPlan, timeline: Timeline, *, lost: Mapping[str, LostMessages] | None = None
) -> list[Measurement]:
    """Valid ticks of every feature, in percent; those of optional features are not judged.

    Args:
        plan: What the episode is made of.
        timeline: Its ticks.
        lost: Feature → messages without a value that have been taken off the timeline.
    """
    measurements = []
    for feature in plan.features:
        is_valid = timeline.features[feature.name].is_valid
        value = 100 * float(np.mean(is_valid)) if len(is_valid) else float("nan")
        of_feature = (lost or {}).get(feature.name)
        note = "" if is_valid.all() else _where_invalid(is_valid, timeline.time_ns, is_lost=bool(of_feature))
        if note:
            note += f"; {of_feature.note}" if of_feature else _pace(feature, plan)
        if not feature.spec.required:
            note = "; ".join(filter(None, ("optional", note)))
        remedy = of_feature.remedy if of_feature else ""
        measurements.append(Measurement(feature.name, value, note, remedy, is_judged=feature.spec.required))
    return measurements


def _where_invalid(is_valid: NDArray[np.bool_], time_ns: NDArray[np.int64], *, is_lost: bool) -> str:
    edges = np.diff(np.concatenate([[True], is_valid, [True]]).astype(np.int8))
    starts, ends = np.flatnonzero(edges < 0), np.flatnonzero(edges > 0)
    longest = int(np.argmax(ends - starts))
    start_s = (time_ns[starts[longest]] - time_ns[0]) / 1e9
    return (
        f"{np.count_nonzero(~is_valid):,} of {len(is_valid):,} ticks without a {'value' if is_lost else 'message'}; "
        f"at most {ends[longest] - starts[longest]:,} in a row, {start_s:.2f} s from the start"
    )


def _pace(feature: FeaturePlan, plan: IngestPlan) -> str:
    """What to set beside each other where a channel is slower than its feature tolerates, or is not in order."""
    stamps = [plan.stamps_of(part) for part in feature.parts]
    note = ""
    if len(stamps) == 1 and len(intervals := Intervals.of(stamps[0])):
        tolerance_ms = feature.tolerance_ns / 1e6
        note = f"; messages {intervals.median_ns / 1e6:,.1f} ms apart (median), tolerance {tolerance_ms:g} ms"
    if num_odd := sum(int(np.count_nonzero(~StampOrder.of(each).is_in_order)) for each in stamps):
        note += f"; {num_odd:,} messages whose stamps are not in the order of recording feed no tick"
    return note
