"""What a look through a dataset found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal[
    "episode",
    "report",
    "picture",
    "snapshot",
    "snapshot name",
    "normalisation",
    "quarantine entry",
    "night",
    "recording note",
    "cache",
    "leftover",
]
"""What is damaged, in the order in which it is mended: what others are made from stands first."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is damaged."""

    kind: Kind
    path: Path
    """The file or folder."""
    problem: str
    """What is wrong, as a clause."""
    remedy: str
    """What mends it, as a sentence without its full stop."""
    episode: str | None = None
    """Whose it is; None where it is the whole dataset's."""
    version: str | None = None


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What was looked at, and what of it is damaged."""

    num_checked: Mapping[Kind, int]
    """Things of each kind that were read."""
    num_without_checksum: int
    """Files among them from before files had one: they can be read, and no more is known of them."""
    findings: tuple[Finding, ...]
    """By kind, episode and path. What dead writers have left half made is among them, and is no damage."""

    @property
    def damages(self) -> tuple[Finding, ...]:
        """The findings less the left-overs."""
        return tuple(each for each in self.findings if each.kind != "leftover")

    @property
    def is_whole(self) -> bool:
        """Nothing is damaged."""
        return not self.damages
