"""What the page of all refusals tells, as its template wants it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bagmill.dataset import Dataset, QuarantineEntry, read_quarantine
from bagmill.errors import StorageError
from pipelines.media.files import inside

PAGE_SIZE: Final = 200
_MOST_TYPED: Final = 200


@dataclass(frozen=True, slots=True)
class RefusedList:
    """A page of the list."""

    entries: Sequence[QuarantineEntry]
    """The latest first."""
    damaged: Sequence[str]
    """Episodes whose entry cannot be read: they are refused, for a reason that is lost."""
    stages: Sequence[tuple[str, int]]
    """Stage → how many it refused, the most first."""
    page: int
    """From 1."""
    num_pages: int
    num_found: int
    find: str
    """What was looked for."""


def list_refused(dataset: Dataset, *, page: int, find: str) -> RefusedList:
    """A page of all that was refused.

    Args:
        dataset: Whose.
        page: From 1; one that is not there is the nearest that is.
        find: Part of a name, a reason, a remedy or a robot, in any case; all where it is empty.

    Raises:
        StorageError: The folder cannot be listed.
    """
    find = find.strip()[:_MOST_TYPED]
    read: list[QuarantineEntry] = []
    damaged: list[str] = []
    for episode in dataset.quarantined():
        try:
            entry = read_quarantine(dataset, episode) if inside(dataset, dataset.quarantine_path(episode)) else None
        except StorageError:
            damaged.append(episode)
        else:
            read += [] if entry is None else [entry]
    found = [entry for entry in read if find.lower() in _text(entry)]
    found.sort(key=lambda entry: (-entry.since_ns, entry.episode))
    num_pages = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(1, page), num_pages)
    return RefusedList(
        entries=found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE],
        damaged=damaged,
        stages=Counter(entry.stage for entry in found).most_common(),
        page=page,
        num_pages=num_pages,
        num_found=len(found),
        find=find,
    )


def _text(entry: QuarantineEntry) -> str:
    return "\n".join((entry.episode, entry.reason, entry.remedy or "", entry.robot, entry.recording)).lower()
