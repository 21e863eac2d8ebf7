"""A recording's identity: a hash over its files' bytes, wherever they lie."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from xxhash import xxh3_128

from bagmill.errors import RecordingError
from bagmill.pulse import pulse
from bagmill.recordings import Recording
from bagmill.regular_files import open_regular

_BLOCK_BYTES: Final = 1 << 20
_MOST_HEARD: Final = 4


class Hearsay:
    """Bytes of a file on their way from the thread that reads them to the one that hashes them: a few pieces at most.

    One iterates while the other calls `tell`; either may `close`, after which nothing is taken in any more.
    """

    def __init__(self) -> None:
        self._pieces: deque[tuple[int, memoryview]] = deque()
        self._changed = threading.Condition()
        self._is_closed = False

    def tell(self, offset: int, data: memoryview) -> None:
        """Hand over bytes that stand at an offset; waits while there are enough under way."""
        with self._changed:
            self._changed.wait_for(lambda: self._is_closed or len(self._pieces) < _MOST_HEARD)
            if not self._is_closed:
                self._pieces.append((offset, data))
                self._changed.notify_all()

    def close(self) -> None:
        """Say that nothing will follow, or that nothing more is wanted."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    def __iter__(self) -> Iterator[tuple[int, memoryview]]:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._is_closed or self._pieces)
                if not self._pieces:
                    return
                piece = self._pieces.popleft()
                self._changed.notify_all()
            yield piece
            del piece  # or its buffer could not be used again while the next is waited for


def content_hash(
    recording: Recording, *, heard: Iterable[tuple[int, memoryview]] = (), stop: threading.Event | None = None
) -> str:
    """`xxh3_128:` and 32 hex digits.

    Of a single file it is the plain XXH3-128 of its bytes, as `xxhsum -H2` prints it. Of a folder, every file's name and size
    go in before its bytes: else bytes could move from one file to the next unseen.

    Args:
        recording: Open or closed; only its files' names are asked for.
        heard: Bytes of a single file that somebody else reads anyway, as (offset, bytes) by rising offset; what is not
            among them is read here.
        stop: Once set, the work is given up and the result means nothing.

    Raises:
        RecordingError: A file cannot be read.
    """
    hasher = xxh3_128()
    if recording.path in recording.files:
        _update(hasher, recording.path, heard, stop)
    else:
        for path in recording.files:
            name = path.relative_to(recording.path).as_posix().encode(errors="surrogateescape")
            hasher.update(name + b"\0" + _size(path).to_bytes(8, "little"))
            _update(hasher, path, (), stop)
    return f"xxh3_128:{hasher.hexdigest()}"


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


def _update(
    hasher: xxh3_128, path: Path, heard: Iterable[tuple[int, memoryview]], stop: threading.Event | None
) -> None:
    # Not update_mmap: every page it touches counts as this process's memory, which for a large recording is all of it.
    block = memoryview(bytearray(_BLOCK_BYTES))

    def read(end: int) -> None:
        """From where the hash stands to `end`, or to the end of the file."""
        while file.tell() < end and not (stop is not None and stop.is_set()):
            length = file.readinto(block[: min(_BLOCK_BYTES, end - file.tell())])
            if not length:
                return
            hasher.update(block[:length])
            pulse()

    try:
        with open(open_regular(path), "rb", buffering=0) as file:  # noqa: PTH123 - a descriptor
            size = os.fstat(file.fileno()).st_size
            for offset, data in heard:
                read(offset)
                if file.tell() == offset:
                    hasher.update(data)
                    file.seek(len(data), 1)
            read(size)  # and no further: what is being written may never end
    except OSError as err:
        raise _unreadable(path, err) from err


def _unreadable(path: Path, error: OSError) -> RecordingError:
    return RecordingError(
        f"it can no longer be read ({error.strerror})", path=path, remedy="Scan it again once it is back in place"
    )
