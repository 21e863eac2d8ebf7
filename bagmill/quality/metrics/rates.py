"""How far channels run from the rate that the profile expects."""

from __future__ import annotations

import numpy as np

from bagmill.profile import Severity
from bagmill.quality.intervals import Intervals
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.quality.used_streams import UsedStream, used_streams


class Rates:
    """Deviation of the mean rate from the expected one; without one, the note tells the rate and nothing is judged.

    Messages that share a stamp count once: the rate is that of different moments. Of a salvaged recording, in which messages are
    missing, it is the rate of the median interval: `salvaged`, `gaps` and `tick_coverage` tell of the holes.
    """

    name = "rates"
    stage: Stage = "recording"
    unit = "%"
    direction: Direction = "lower"
    threshold: float | None = 10.0
    severity: Severity = "error"
    description = (
        "How far each channel's mean message rate is from the rate that the profile expects. A failure means that "
        "a sensor ran at another setting, that messages were lost throughout, or that many carry the same stamp."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One deviation a channel."""
        is_salvaged = evidence.index.is_salvaged
        return [_measure(used, is_salvaged=is_salvaged) for used in used_streams(evidence)]


def _measure(used: UsedStream, *, is_salvaged: bool) -> Measurement:
    if not used.has_stamps:
        return used.unmeasured("no header stamps")
    num_messages = used.num_messages
    intervals = Intervals.of(used.stamps_ns)
    if not len(intervals):
        # One message, or all at one instant, is not the expected stream of them.
        note = f"{num_messages:,} messages {used.standing}" if num_messages > 1 else "a single message"
        value = float("nan") if used.expected_rate_hz is None else 100.0
        return Measurement(used.subject, value, note, is_judged=used.expected_rate_hz is not None)
    rate_hz = len(intervals) * 1e9 / intervals.total_ns
    note = (
        f"{rate_hz:.2f} Hz over {intervals.total_ns / 1e9:,.1f} s, median interval {intervals.median_ns / 1e6:,.2f} ms"
    )
    if num_repeated := int(np.count_nonzero(used.stamps_ns[1:] == used.stamps_ns[:-1])):
        note += f"; {num_repeated:,} of {num_messages:,} messages repeat the stamp before"
    if is_salvaged and intervals.median_ns:
        rate_hz = 1e9 / intervals.median_ns
        note += "; by the median interval, as messages are missing"
    if used.expected_rate_hz is None:
        return used.unmeasured(f"{note}; the profile expects no rate")
    value = 100 * abs(rate_hz / used.expected_rate_hz - 1)
    return Measurement(used.subject, value, f"{note}; expected {used.expected_rate_hz:g} Hz")
