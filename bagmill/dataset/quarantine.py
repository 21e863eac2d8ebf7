"""Quarantine: the recordings that gave no episode, each with the reason, until they do."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from bagmill.dataset.folder import Dataset
from bagmill.dataset.json_records import from_json, to_json
from bagmill.dataset.whole_file import read_whole, remove_file, write_whole
from bagmill.disk import tells_of_disk
from bagmill.errors import StorageError
from bagmill.quality.metric import Stage

RefusalKind = Literal["refused", "crashed", "hung", "out of memory", "killed"]
"""How an episode ended: refused with a reason of its own; or its process crashed, made no progress, took more memory than it may,
or was ended from outside."""
QUARANTINE_SCHEMA = "bagmill-quarantine-1"
_REMEDY = "Ingest the episode again: the entry is written anew, or released"


@dataclass(frozen=True, slots=True)
class QuarantineEntry:
    """Why an episode went no further."""

    episode: str
    recording: str
    """The recording's path."""
    stage: Stage
    """Where the line ended."""
    reason: str
    """One sentence, as an error says it."""
    since_ns: int
    """When it was first refused for this reason, ns since the Unix epoch."""
    remedy: str | None = None
    """What can be done about it."""
    failed_checks: tuple[str, ...] = ()
    """Names of the checks that failed with severity `error`; empty where an error ended the line."""
    is_passing: bool = False
    """The reason may pass by itself: a full disk, a killed process, a recording that was not there."""
    robot: str = ""
    """As the profile has it; empty where no profile was found."""
    attempted: str = ""
    """A name for the recording's files and the profile that were refused; empty where it did not come to an attempt."""
    kind: RefusalKind = "refused"
    """How it ended; every other than `refused` is its process's end."""
    details: str = ""
    """What else is known of a process's end: the traceback, or what the process has written at last."""
    released_ns: int | None = None
    """When somebody asked that it be tried again, ns since the Unix epoch; the entry stands until it was."""


@tells_of_disk
def put_quarantine(dataset: Dataset, entry: QuarantineEntry) -> QuarantineEntry:
    """Put an episode in quarantine, in place of its earlier entry.

    Returns:
        The entry as written: refused for the same reason as before, it keeps its earlier `since_ns`.

    Raises:
        StorageError: The disk does not take it.
    """
    try:
        earlier = read_quarantine(dataset, entry.episode)
    except StorageError:
        # It is damaged, and about to be replaced.
        earlier = None
    if earlier is not None and _is_same_reason(earlier, entry):
        entry = replace(entry, since_ns=min(earlier.since_ns, entry.since_ns))
    write_whole(dataset.quarantine_path(entry.episode), to_json(entry, schema=QUARANTINE_SCHEMA))
    return entry


def release(dataset: Dataset, episode: str) -> bool:
    """Take an episode out of quarantine.

    Returns:
        Whether it was there.

    Raises:
        StorageError: Its entry cannot be removed.
    """
    return remove_file(dataset.quarantine_path(episode), remedy="Mend the folder's permissions")


@tells_of_disk
def read_quarantine(dataset: Dataset, episode: str) -> QuarantineEntry | None:
    """An episode's entry; None where it is not in quarantine.

    Raises:
        StorageError: The entry is there and cannot be read.
    """
    path = dataset.quarantine_path(episode)
    if not path.exists():
        return None
    data = read_whole(path, remedy=_REMEDY)
    try:
        return from_json(data, QuarantineEntry, schema=QUARANTINE_SCHEMA)
    except ValueError as err:
        raise StorageError(f"is no quarantine entry: {err}", path=path, remedy=_REMEDY) from err


@tells_of_disk
def release_for_retry(dataset: Dataset, episode: str, *, now_ns: int) -> QuarantineEntry | None:
    """Ask that an episode be tried again though nothing about it has changed; its entry stands until that is done.

    Returns:
        The entry as written; None where the episode is not in quarantine.

    Raises:
        StorageError: Its entry cannot be read or written.
    """
    entry = read_quarantine(dataset, episode)
    if entry is None:
        return None
    entry = replace(entry, released_ns=now_ns)
    write_whole(dataset.quarantine_path(episode), to_json(entry, schema=QUARANTINE_SCHEMA))
    return entry


def list_quarantine(dataset: Dataset) -> list[QuarantineEntry]:
    """Every entry, by episode. One that cannot be read is listed with that for its reason: its episode is refused still.

    Raises:
        StorageError: The quarantine's folder cannot be listed.
    """
    entries = (_entry_or_damage(dataset, episode) for episode in dataset.quarantined())
    return [entry for entry in entries if entry is not None]


def _entry_or_damage(dataset: Dataset, episode: str) -> QuarantineEntry | None:
    try:
        return read_quarantine(dataset, episode)
    except StorageError as err:
        reason = f"Why it was refused cannot be read: {err.sentence}"
        return QuarantineEntry(episode, recording="", stage="recording", reason=reason, since_ns=0, remedy=err.remedy)


def _is_same_reason(earlier: QuarantineEntry, later: QuarantineEntry) -> bool:
    """Whether an episode is refused as it was, whatever was attempted and whoever asked for it."""
    return later == replace(
        earlier,
        since_ns=later.since_ns,
        attempted=later.attempted,
        released_ns=later.released_ns,
        details=later.details,
    )
