"""A recording's identity: a hash over its files' bytes, wherever they lie."""

from __future__ import annotations

import threading
from pathlib import Path

from blake3 import blake3

from bagmill.errors import RecordingError
from bagmill.recordings import Recording

_BLOCK_BYTES = 1 << 20


def content_hash(recording: Recording, *, stop: threading.Event | None = None) -> str:
    """`blake3:` and 64 hex digits.

    Of a single file it is the plain BLAKE3 of its bytes, as `b3sum` prints it. Of a folder, every file's name and size
    go in before its bytes: else bytes could move from one file to the next unseen.

    Args:
        recording: Open or closed; only its files' names are asked for.
        stop: Once set, the work is given up and the result means nothing.

    Raises:
        RecordingError: A file cannot be read.
    """
    hasher = blake3()
    for path in recording.files:
        if recording.path not in recording.files:
            name = path.relative_to(recording.path).as_posix().encode(errors="surrogateescape")
            hasher.update(name + b"\0" + _size(path).to_bytes(8, "little"))
        _update(hasher, path, stop)
    return f"blake3:{hasher.hexdigest()}"


def size_bytes(recording: Recording) -> int:
    """Of all the recording's files together.

    Raises:
        RecordingError: A file is gone.
    """
    return sum(_size(path) for path in recording.files)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError as err:
        raise _unreadable(path, err) from err


def _update(hasher: blake3, path: Path, stop: threading.Event | None) -> None:
    # Not update_mmap: every page it touches counts as this process's memory, which for a large recording is all of it.
    block = bytearray(_BLOCK_BYTES)
    view = memoryview(block)
    try:
        with path.open("rb", buffering=0) as file:
            while (length := file.readinto(block)) and not (stop is not None and stop.is_set()):
                hasher.update(view[:length])
    except OSError as err:
        raise _unreadable(path, err) from err


def _unreadable(path: Path, error: OSError) -> RecordingError:
    return RecordingError(
        f"it can no longer be read ({error.strerror})", path=path, remedy="Scan it again once it is back in place"
    )
