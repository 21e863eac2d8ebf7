"""The longest silence of a channel."""

from __future__ import annotations

import numpy as np

from bagmill.alignment.neighbours import elapsed_ns
from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.quality.used_streams import UsedStream, used_streams


class Gaps:
    """The longest interval in expected periods; without an expected rate in median intervals, and not judged.

    A warning by default: whether a gap harms the episode is what `tick_coverage` says.
    """

    name = "gaps"
    stage: Stage = "recording"
    unit = "periods"
    direction: Direction = "lower"
    threshold: float | None = 5.0
    severity: Severity = "warn"
    description = (
        "The longest time without a message on each channel, in periods of the rate that the profile expects. A "
        "failure means that a sensor or its connection stood still for a while."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One interval a channel."""
        return [_measure(used) for used in used_streams(evidence)]


def _measure(used: UsedStream) -> Measurement:
    if not used.has_stamps:
        return used.unmeasured("no header stamps")
    if used.stream.num_messages < 2:
        return used.unmeasured("a single message")
    stamps = np.sort(used.stamps_ns)
    intervals_ns = elapsed_ns(stamps[:-1], stamps[1:])
    place = int(np.argmax(intervals_ns))
    longest_ns = float(intervals_ns[place])
    after_s = (int(stamps[place]) - int(stamps[0])) / 1e9
    note = f"{longest_ns / 1e9:,.3f} s without a message, {after_s:,.2f} s from the start"
    if used.expected_rate_hz is not None:
        return Measurement(used.subject, longest_ns * used.expected_rate_hz / 1e9, note)
    period_ns = float(np.median(intervals_ns))
    value = longest_ns / period_ns if period_ns else float("nan")
    return Measurement(used.subject, value, f"{note}; in median intervals, as no rate is expected", is_judged=False)
