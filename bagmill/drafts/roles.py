"""Which candidates are taken, and which of them sets the rate."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.drafts.candidates import Candidate
from bagmill.drafts.naming import is_command
from bagmill.drafts.pace import measure_pace


def activate(candidates: Sequence[Candidate]) -> tuple[list[Candidate], list[Candidate]]:
    """Choose what is taken; the rest is suggested.

    Where nothing tells of the robot for sure, what hints at it is taken, else everything that has numbers. Where only
    commands do, what comes as steadily as they is taken as the observation: a policy without one learns nothing.

    Returns:
        The candidates taken, and those of them that were taken for want of an observation.
    """
    hinting = [candidate for candidate in candidates if candidate.is_hinting]
    active = [candidate for candidate in candidates if candidate.is_telling] or hinting or list(candidates)
    if any(not is_told(candidate) for candidate in active):
        return active, []
    others = [candidate for candidate in candidates if candidate not in active and not is_told(candidate)]
    steady = [candidate for candidate in others if not measure_pace(candidate.stream.log_time_ns).is_irregular]
    observed = [candidate for candidate in steady if candidate.is_hinting] or steady
    return [candidate for candidate in candidates if candidate in active or candidate in observed], observed


def is_told(candidate: Candidate) -> bool:
    """The channel tells the robot what to do."""
    return candidate.role == "action" or (candidate.role == "signal" and is_command(candidate.topic))


def rank(candidate: Candidate) -> int:
    """How much a timeline is about a candidate: pictures, depth, joints, other observations, commands."""
    if candidate.role == "signal":
        return 4 if is_told(candidate) else 3
    return ("image", "depth", "state", "action").index(candidate.role) if candidate.role != "action" else 4
