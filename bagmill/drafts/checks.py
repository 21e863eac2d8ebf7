"""Checks that a recording fails by itself, drafted as wide as it needs, each with the fact that the check would tell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bagmill.drafts.groups import Group
from bagmill.drafts.look import RecordingValues
from bagmill.drafts.pictures import CameraValues
from bagmill.drafts.required import RequiredChoice

_KEPT_FROM = 0.8
"""Above what the check `recording_kept` asks by itself."""
_OF_PICTURES = (
    ("frames_frozen", 5, "repeat the one before: a frozen camera, or a scene that stands still"),
    ("frames_black", 10, "are black all over"),
    ("frames_blown", 10, "are white all over"),
)
"""Checks of pictures: name, what they allow by themselves in percent, what it says of a picture."""


@dataclass(frozen=True, slots=True)
class CheckDraft:
    """One check as it is to be written down."""

    name: str
    threshold: int
    why: str
    """What the recording shows, and what the check asks where nothing is written."""


def draft_checks(groups: Sequence[Group], *, choice: RequiredChoice, values: RecordingValues) -> Iterator[CheckDraft]:
    """The checks that would keep the recording out, as its leading feature pauses or a camera repeats its pictures.

    Args:
        groups: The draft's features.
        choice: Which of them are required.
        values: What a second look saw.
    """
    if choice.least_covered_percent is not None:
        why = f"the feature {choice.leading} covers {100 * choice.covered[choice.leading]:.3g} % of its own time"
        yield CheckDraft("tick_coverage", choice.least_covered_percent, f"{why}; else at least 98")
        yield CheckDraft("episode_coverage", min(choice.least_covered_percent, 90), f"{why}; else at least 90")
    if choice.kept_share < _KEPT_FROM:
        why = f"ticks cover {100 * choice.kept_share:.3g} % of the recording's time; else at least 75"
        yield CheckDraft("recording_kept", int(90 * choice.kept_share), why)
    cameras = {
        group.name: seen
        for group in groups
        if group.is_active and (seen := values.cameras.get(group.candidate.stream.channel.id)) is not None
    }
    for check, usual, what in _OF_PICTURES:
        shares = {name: _share(seen, check) for name, seen in cameras.items()}
        worst = max(shares, key=shares.__getitem__, default=None)
        if worst is not None and 100 * shares[worst] > 0.8 * usual:
            why = f"{100 * shares[worst]:.0f} % of the pictures of {worst} {what}; else at most {usual}"
            yield CheckDraft(check, min(int(100 * shares[worst]) + 15, 100), why)


def _share(seen: CameraValues, check: str) -> float:
    shares = {
        "frames_frozen": seen.repeated_share,
        "frames_black": seen.black_share,
        "frames_blown": seen.white_share,
    }
    return shares[check]
