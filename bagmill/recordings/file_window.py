"""Bytes of a file by offset, through one bounded buffer."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from bagmill.errors import RecordingError

_LOOKAHEAD_BYTES = 64 * 1024
"""Read beyond what was asked for: holds the small records that follow a large one, costs little where they do not."""


class RecordingFile:
    """An open file of known size that several passes may read at once, each through a window of its own.

    Args:
        path: A regular file.

    Raises:
        RecordingError: The file is missing, not a regular file, or may not be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            # Without O_NONBLOCK, opening a named pipe would wait for a writer for ever.
            self._descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
        except OSError as err:
            raise unreadable(path, err) from err
        status = os.fstat(self._descriptor)
        if not stat.S_ISREG(status.st_mode):
            self.close()
            raise RecordingError("not a regular file", path=path, remedy="Name an MCAP file, a .bag or a .db3")
        self.size_bytes = status.st_size

    def read(self, offset: int, length: int) -> bytes:
        """Bytes [offset, offset + length), fewer where the file ends.

        Raises:
            RecordingError: The file was closed, or the device under it fails.
        """
        if self._descriptor < 0:
            raise RecordingError("the recording was closed", path=self.path, remedy="Open it again")
        try:
            data = os.pread(self._descriptor, length, offset)
            # One call hands out 2 GiB at most.
            while len(data) < length and (more := os.pread(self._descriptor, length - len(data), offset + len(data))):
                data += more
        except OSError as err:
            raise unreadable(self.path, err) from err
        return data

    def close(self) -> None:
        """Close the file; views handed out before stay valid."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class FileWindow:
    """One pass's view of a file. Memory: the largest record asked for, plus 64 KiB."""

    def __init__(self, file: RecordingFile) -> None:
        self._file = file
        self._start = 0
        self._view = memoryview(b"")
        self.size_bytes = file.size_bytes

    def view(self, offset: int, length: int) -> memoryview:
        """Bytes [offset, offset + length) without a copy; they stay valid for as long as the view is held.

        Raises:
            EOFError: The file ends before; nothing is allocated for a length that a flipped bit made absurd.
        """
        start = offset - self._start
        end = start + length
        if start < 0 or end > len(self._view):
            if offset < 0 or length < 0 or offset + length > self.size_bytes:
                raise EOFError
            self._view = memoryview(self._file.read(offset, length + _LOOKAHEAD_BYTES))
            self._start, start, end = offset, 0, length
            if len(self._view) < length:  # the file shrank since it was opened
                raise EOFError
        return self._view[start:end]


def unreadable(path: Path, error: OSError) -> RecordingError:
    """The error for a file that the operating system does not let us read."""
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return RecordingError("there is no such file or folder", path=path, remedy="Check the path")
    if isinstance(error, PermissionError):
        return RecordingError("permission to read it is denied", path=path, remedy="Change its mode or owner")
    return RecordingError(f"it cannot be read ({error.strerror})", path=path, remedy="Check the disk it lies on")
