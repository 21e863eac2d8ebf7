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
        errors = [f.message for f in evidence.index.faults if f.severity == "error" and f.code not in forgiven]
        warnings = [fault.message for fault in evidence.index.faults if fault.severity == "warning"]
        told = [*errors, *(f"harmless: {message}" for message in warnings)]
        more = f" (and {len(told) - _SHOWN} more)" if len(told) > _SHOWN else ""
        is_missing_only = all(f.code in LOSS_CODES for f in evidence.index.faults if f.severity == "error")
        remedy = _REMEDY if errors and is_missing_only else ""
        return [Measurement("recording", float(len(errors)), " ".join(told[:_SHOWN]) + more, remedy)]
