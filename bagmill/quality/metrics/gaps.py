"""The longest silence of a channel."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.intervals import Intervals
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.quality.recording_extent import STARTUP_NS, RecordingExtent, recording_extent
from bagmill.quality.used_streams import UsedStream, used_streams


class Gaps:
    """The longest interval in expected periods; without an expected rate in median intervals, and not judged.

    What is missing of a channel at the recording's beginning and end is an interval too, unless it is shorter than
    sensors take to start. A warning by default: whether a gap harms the episode is what `tick_coverage` and
    `recording_kept` say.
    """

    name = "gaps"
    stage: Stage = "recording"
    unit = "periods"
    direction: Direction = "lower"
    threshold: float | None = 5.0
    severity: Severity = "warn"
    description = (
        "The longest time without a message on each channel, from the recording's beginning to its end, in periods of "
        "the rate that the profile expects. A failure means that a sensor or its connection stood still for a while."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One interval a channel."""
        required = [spec for spec in evidence.profile.features.values() if spec.required]
        extent = recording_extent(evidence.index, needed_topics={topic for spec in required for topic in spec.channels})
        return [_measure(used, extent) for used in used_streams(evidence)]


def _measure(used: UsedStream, extent: RecordingExtent | None) -> Measurement:
    if not used.has_stamps:
        return used.unmeasured("no header stamps")
    silences = [*_between(used), *_at_the_ends(used, extent)]
    if not silences:
        return used.unmeasured("a single message" if used.num_messages == 1 else f"messages {used.standing}")
    longest_ns, where = max(silences)
    note = f"{longest_ns / 1e9:,.3f} s without a message, {where}"
    if used.expected_rate_hz is not None:
        return Measurement(used.subject, longest_ns * used.expected_rate_hz / 1e9, note)
    value = longest_ns / Intervals.of(used.stamps_ns).median_ns
    return Measurement(used.subject, value, f"{note}; in median intervals, as no rate is expected", is_judged=False)


def _between(used: UsedStream) -> list[tuple[float, str]]:
    """The longest interval between two messages, ns, and where it is."""
    intervals = Intervals.of(used.stamps_ns)
    if not len(intervals):
        return []
    place = int(np.argmax(intervals.lengths_ns))
    after_s = (int(intervals.starts_ns[place]) - int(used.stamps_ns.min())) / 1e9
    return [(float(intervals.lengths_ns[place]), f"{after_s:,.2f} s from the start")]


def _at_the_ends(used: UsedStream, extent: RecordingExtent | None) -> list[tuple[float, str]]:
    """What is missing of the channel before its first message and behind its last, ns by the log clock."""
    log_ns = used.log_ns
    if extent is None or not len(log_ns := log_ns[extent.contains(log_ns)]):
        return []
    missing = [
        (float(int(log_ns.min()) - extent.start_ns), "before its first, from the recording's beginning"),
        (float(extent.end_ns - int(log_ns.max())), "behind its last, to the recording's end"),
    ]
    return [silence for silence in missing if silence[0] > STARTUP_NS]
