"""Header stamps against log times."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.quality.used_streams import UsedStream, used_streams
from bagmill.streams.clocks import estimate_clock

_SECOND_NS = 1_000_000_000
_YEAR_NS = 365 * 86_400 * _SECOND_NS
_LEAST_SPAN_FOR_DRIFT_NS = 10 * _SECOND_NS
"""Over less, drift cannot be told from latency."""


class ClocksAgree:
    """Log time less header stamp, as its median: how the clocks differ, plus the usual latency; drift in the note.

    The threshold leaves room for a slow camera, and none for a clock that was never synchronised. A warning by
    default: in simulations and in recordings played back the clocks differ on purpose.
    """

    name = "clocks_agree"
    stage: Stage = "recording"
    unit = "ms"
    direction: Direction = "lower"
    threshold: float | None = 200.0
    severity: Severity = "warn"
    description = (
        "How far each channel's header stamps are from the time at which its messages were recorded. A failure "
        "means that a sensor's clock is not synchronised with the recorder's, so that its data would be laid beside "
        "those of another moment."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One offset a channel; nan where its messages carry no header stamps."""
        return [_measure(used) for used in used_streams(evidence)]


def _measure(used: UsedStream) -> Measurement:
    clock = estimate_clock(used.header_ns, used.log_ns)
    if clock.offset_ns is None or clock.latency_p50_ns is None or clock.latency_p99_ns is None:
        return used.unmeasured("no header stamps")
    distance_ns = abs(clock.offset_ns)
    distance = f"{distance_ns / 1e6:,.1f} ms" if distance_ns < 10 * _SECOND_NS else f"{distance_ns / 1e9:,.1f} s"
    notes = [f"recorded {distance} {'after' if clock.offset_ns >= 0 else 'before'} the header stamp"]
    if distance_ns > _YEAR_NS:
        notes.append("one of the two clocks does not tell the date")
    notes.append(
        f"latency beyond the fastest {clock.latency_p50_ns / 1e6:,.1f} ms (median) and "
        f"{clock.latency_p99_ns / 1e6:,.1f} ms (99 %)"
    )
    if clock.drift_ppm is not None and clock.span_ns >= _LEAST_SPAN_FOR_DRIFT_NS:
        notes.append(f"drift {clock.drift_ppm:+,.1f} ppm")
    if missing := used.num_messages - clock.num_stamps:
        notes.append(f"{missing:,} messages without a stamp")
    return Measurement(used.subject, distance_ns / 1e6, "; ".join(notes))
