"""A recording's files by name, size and modification time: whether it is still the one that was scanned, without reading it."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Final

from bagmill.dataset import write_whole
from bagmill.dataset.json_records import check_seal, seal
from bagmill.disk import files_below
from bagmill.errors import RecordingError, UnsettledRecordingError
from bagmill.regular_files import read_regular

_MOST_NOTE_BYTES: Final = 64 << 20
"""Of a note: a hundred bytes for each of the recording's files."""
Fingerprint = list[list[str | int]]
"""One [name, size in bytes, modification time in ns] a file, sorted by name."""


def fingerprint(recording: Path) -> Fingerprint:
    """Take a recording's fingerprint.

    Raises:
        UnsettledRecordingError: It is not there, or may not be looked at.
    """
    try:
        found = recording.stat()
        if not stat.S_ISDIR(found.st_mode):
            return [[recording.name, found.st_size, found.st_mtime_ns]]
        files = [path for path in files_below(recording) if path.is_file()]
        stats = [(path, path.stat()) for path in files]
    except OSError as err:
        raise UnsettledRecordingError(f"cannot be looked at ({err.strerror})", path=recording) from err
    return [[path.relative_to(recording.parent).as_posix(), each.st_size, each.st_mtime_ns] for path, each in stats]


def check_unchanged(recording: Path, taken: Fingerprint) -> None:
    """Make sure that what was read is what was scanned.

    Raises:
        UnsettledRecordingError: A file has changed since the fingerprint was taken.
    """
    if fingerprint(recording) != taken:
        raise UnsettledRecordingError(
            "changed while it was read", path=recording, remedy="Ingest it again once nothing writes to it any more"
        )


def remembered_hash(recording: Path, memory: Path) -> str | None:
    """The content hash noted for exactly these files, if there is one.

    Args:
        recording: File or folder.
        memory: Where `remember_hash` wrote for this episode.
    """
    note = read_note(memory)
    try:
        return str(note["content_hash"]) if note and note["fingerprint"] == fingerprint(recording) else None
    except (KeyError, RecordingError):
        return None


def remember_hash(memory: Path, taken: Fingerprint, *, content_hash: str, definitions: str | None) -> None:
    """Note a content hash beside the fingerprint that was taken before the files were read.

    Args:
        memory: Where to.
        taken: The fingerprint.
        content_hash: Of the recording.
        definitions: Digest of those that it was scanned with, besides its own.

    Raises:
        StorageError: The disk does not take it.
    """
    write_note(memory, {"content_hash": content_hash, "fingerprint": taken, "definitions": definitions})


def forget_other_scans(memory: Path, *, definitions: str | None) -> None:
    """Drop the note where it is of a scan with other definitions.

    Raises:
        StorageError: The disk does not take it.
    """
    if read_note(memory).get("definitions") != definitions:
        write_note(memory, {}, is_synced=True)


def read_note(memory: Path) -> dict[str, object]:
    """What is noted of an episode's recording; empty where nothing legible is: that costs a scan, nothing else."""
    try:
        data = read_regular(memory, most_bytes=_MOST_NOTE_BYTES)
        check_seal(data)
        note = json.loads(data)
    except (OSError, ValueError, RecursionError):
        return {}
    return {key: note[key] for key in note if key not in ("schema", "checksum")} if isinstance(note, dict) else {}


def write_note(memory: Path, note: dict[str, object], *, is_synced: bool = False) -> None:
    """Note something of an episode's recording, in place of what was noted.

    Args:
        memory: Where to.
        note: All of it.
        is_synced: Have it outlive a power cut: where it is lost there, what was noted before it stands.

    Raises:
        StorageError: The disk does not take it.
    """
    write_whole(memory, seal(json.dumps({"schema": "bagmill-note-1", **note}).encode()), is_synced=is_synced)
