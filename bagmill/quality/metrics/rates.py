"""How far channels run from the rate that the profile expects."""

from __future__ import annotations

import numpy as np

from bagmill.alignment.neighbours import elapsed_ns
from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.quality.used_streams import UsedStream, used_streams


class Rates:
    """Deviation of the mean rate from the expected one; without one, the note tells the rate and nothing is judged."""

    name = "rates"
    stage: Stage = "recording"
    unit = "%"
    direction: Direction = "lower"
    threshold: float | None = 10.0
    severity: Severity = "error"
    description = (
        "How far each channel's mean message rate is from the rate that the profile expects. A failure means that "
        "a sensor ran at another setting, or that messages were lost throughout."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One deviation a channel."""
        return [_measure(used) for used in used_streams(evidence)]


def _measure(used: UsedStream) -> Measurement:
    if not used.has_stamps:
        return used.unmeasured("no header stamps")
    stamps = np.sort(used.stamps_ns)
    span_ns = int(stamps[-1]) - int(stamps[0])
    if span_ns == 0:
        # One message, or all at one instant, is not the expected stream of them.
        note = f"{len(stamps):,} messages at one instant" if len(stamps) > 1 else "a single message"
        value = float("nan") if used.expected_rate_hz is None else 100.0
        return Measurement(used.subject, value, note, is_judged=used.expected_rate_hz is not None)
    rate_hz = (len(stamps) - 1) * 1e9 / span_ns
    interval_ms = float(np.median(elapsed_ns(stamps[:-1], stamps[1:]))) / 1e6
    note = f"{rate_hz:.2f} Hz over {span_ns / 1e9:,.1f} s, median interval {interval_ms:,.2f} ms"
    if used.expected_rate_hz is None:
        return used.unmeasured(f"{note}; the profile expects no rate")
    value = 100 * abs(rate_hz / used.expected_rate_hz - 1)
    return Measurement(used.subject, value, f"{note}; expected {used.expected_rate_hz:g} Hz")
