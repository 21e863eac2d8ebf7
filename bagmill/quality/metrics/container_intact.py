"""Faults of the container."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage

_SHOWN = 3


class ContainerIntact:
    """Faults that lost or changed messages; the note tells the first few, and contradictions that did not."""

    name = "container_intact"
    stage: Stage = "recording"
    unit = "faults"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "error"
    description = (
        "Faults in the recording's file that lost or changed messages: checksums that do not fit, a file that "
        "ends too early, missing parts. A failure means that the file is damaged: copy it again from the robot."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One count for the recording."""
        faults = sorted(evidence.index.faults, key=lambda fault: fault.severity != "error")
        told = [f"{'' if fault.severity == 'error' else 'harmless: '}{fault.message}" for fault in faults[:_SHOWN]]
        num_more = sum(fault.num for fault in faults[_SHOWN:])
        more = f" (and {num_more:,} more)" if num_more else ""
        num_errors = sum(fault.num for fault in faults if fault.severity == "error")
        return [Measurement("recording", float(num_errors), " ".join(told) + more)]
