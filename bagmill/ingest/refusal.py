"""Why an episode goes no further, in words."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.dataset import EpisodeReport, QuarantineEntry
from bagmill.errors import BagmillError
from bagmill.quality import CheckResult, Measurement, Stage

_REMEDY_OF_CHECK = (
    "Look at the check's numbers; mend the cause, or set `checks` in the profile if this is as it should be"
)
_MOST_SUBJECTS = 3


def refusal_entry(
    report: EpisodeReport, error: BagmillError | None, *, stage: Stage, attempted: str
) -> QuarantineEntry | None:
    """The quarantine entry of an episode; None where nothing speaks against it.

    Args:
        report: Of the stages that ran.
        error: What ended the line, if an error did.
        stage: Which stage was running then.
        attempted: A name for the recording's files and the profile.
    """
    blocking = [check for check in report.checks if check.is_blocking]
    if error is None and not blocking:
        return None
    if error is not None:
        reason, remedy = error.sentence, error.remedy
    else:
        stage, reason, remedy = blocking[0].stage, "; ".join(map(_say, blocking)) + ".", _remedy(blocking)
    return QuarantineEntry(
        episode=report.episode,
        recording=report.recording_path,
        stage=stage,
        reason=reason,
        since_ns=report.requested_ns,
        remedy=remedy,
        failed_checks=tuple(check.name for check in blocking),
        is_passing=error is not None and error.is_passing,
        robot=report.robot,
        attempted=attempted,
    )


def _remedy(checks: Sequence[CheckResult]) -> str:
    """What the failed checks' own measurements say, else where to look."""
    failed = (m for check in checks for m in check.measurements if m.subject in check.failed_subjects)
    known = dict.fromkeys(measurement.remedy for measurement in failed if measurement.remedy)
    return ". ".join(known) or _REMEDY_OF_CHECK


def _say(check: CheckResult) -> str:
    measured = {measurement.subject: measurement for measurement in check.measurements}
    told = ", ".join(_say_one(measured[subject], check) for subject in check.failed_subjects[:_MOST_SUBJECTS])
    if (num_more := len(check.failed_subjects) - _MOST_SUBJECTS) > 0:
        told += f" and {num_more} more"
    bound = "at least" if check.direction == "higher" else "at most"
    return f"check {check.name} failed: {told}; wanted {bound} {check.threshold:g} {check.unit}"


def _say_one(measurement: Measurement, check: CheckResult) -> str:
    said = f"{measurement.subject} {measurement.value:g} {check.unit}"
    return f"{said} ({measurement.note.rstrip('.')})" if measurement.note else said
