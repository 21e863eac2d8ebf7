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
        errors = [fault.message for fault in evidence.index.faults if fault.severity == "error"]
        warnings = [fault.message for fault in evidence.index.faults if fault.severity == "warning"]
        told = [*errors, *(f"harmless: {message}" for message in warnings)]
        more = f" (and {len(told) - _SHOWN} more)" if len(told) > _SHOWN else ""
        return [Measurement("recording", float(len(errors)), " ".join(told[:_SHOWN]) + more)]
