"""Faults of the container."""

from __future__ import annotations

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, Measurement, RecordingEvidence, Stage
from bagmill.recordings.losses import LOSS_CODES

_SHOWN = 3
_REMEDY = (
    "Copy it again from the robot; if it is damaged there, `salvage: true` in the profile, or `--salvage`, makes an episode of "
    "what is whole"
)


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
        "ends too early, missing parts. A failure means that the file is damaged: copy it again from the robot, or set "
        "`salvage: true` in the profile to make an episode of what is whole."
    )

    def measure(self, evidence: RecordingEvidence) -> list[Measurement]:
        """One count for the recording; of one that is salvaged, without what is only missing: `salvaged` tells of that."""
        forgiven = LOSS_CODES if evidence.profile.salvage else frozenset[str]()
        counted = [fault for fault in evidence.index.faults if fault.severity == "error" and fault.code not in forgiven]
        harmless = [fault for fault in evidence.index.faults if fault.severity == "warning"]
        told = [*(fault.message for fault in counted), *(f"harmless: {fault.message}" for fault in harmless)][:_SHOWN]
        num_more = sum(fault.num for fault in [*counted, *harmless][_SHOWN:])
        more = f" (and {num_more:,} more)" if num_more else ""
        remedy = _REMEDY if counted and all(fault.code in LOSS_CODES for fault in counted) else ""
        num_errors = sum(fault.num for fault in counted)
        return [Measurement("recording", float(num_errors), " ".join(told) + more, remedy)]
