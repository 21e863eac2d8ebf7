"""Bytes of a file by offset, through a few bounded buffers."""

from __future__ import annotations

import os
from pathlib import Path

from bagmill.errors import RecordingError
from bagmill.limits import limits
from bagmill.recordings.buffers import BufferPool
from bagmill.regular_files import NotRegularFileError, open_regular

_LOOKAHEAD_BYTES = 64 * 1024
"""Read beyond what was asked for: holds the small records that follow a large one, costs little where they do not."""
_ZEROS_BLOCK_BYTES = 1 << 20
_LEAST_ZERO_BYTES = 512
"""Fewer zeros at a file's end may belong to its last record: file systems reserve space by blocks of at least as many bytes."""
HEADERS_BYTES = 4096
"""As much where records are only told apart: a few small ones stand between two chunks."""


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
            self._descriptor = open_regular(path)
        except OSError as err:
            raise unreadable(path, err) from err
        self.size_bytes = os.fstat(self._descriptor).st_size
        self._buffers = BufferPool()

    def read(self, offset: int, length: int) -> memoryview:
        """Bytes [offset, offset + length), fewer where the file ends: read-only, valid for as long as the view is held.

        Safe to use from several threads.

        Raises:
            RecordingError: The file was closed, or the device under it fails.
        """
        if self._descriptor < 0:
            raise RecordingError("the recording was closed", path=self.path, remedy="Open it again")
        buffer = self._buffers.take(max(0, min(length, self.size_bytes - offset)))
        num_read = 0
        try:
            # One call hands out 2 GiB at most.
            while num_read < len(buffer) and (
                more := os.preadv(self._descriptor, [buffer[num_read:]], offset + num_read)
            ):
                num_read += more
        except OSError as err:
            raise unreadable(self.path, err) from err
        return buffer[:num_read].toreadonly()

    def read_whole(self, offset: int, length: int) -> memoryview:
        """Bytes [offset, offset + length), as `read` gives them, but all of them.

        Raises:
            RecordingError: As `read`, or the file is shorter than it was when it was opened.
            LimitError: It is more than one record may have.
        """
        limits().check("record_bytes", length, what="a record's size", path=self.path)
        view = self.read(offset, length)
        if len(view) < length:
            raise RecordingError(
                f"it became shorter while it was read: expected {length} bytes at byte {offset}, found {len(view)}",
                path=self.path,
                remedy="Ingest it again once nothing writes to it any more",
            )
        return view

    def leave_out_zeros(self) -> int | None:
        """End the file where nothing but zeros follows: space that was reserved and never written, as after a power cut.

        Returns:
            Where it ends now; None where it ends as it did.

        Raises:
            RecordingError: As `read`.
        """
        end = self.size_bytes
        while end > 0:
            start = max(0, end - _ZEROS_BLOCK_BYTES)
            written = bytes(self.read(start, end - start)).rstrip(b"\0")
            end = start + len(written)
            if written:
                break
        if self.size_bytes - end < _LEAST_ZERO_BYTES:
            return None
        self.size_bytes = end
        return end

    def unpacked(self, size_bytes: int) -> memoryview:
        """A writable buffer (size_bytes,) for what a chunk of the file unpacks to; its own for as long as it is held."""
        return self._buffers.take(size_bytes)

    def close(self) -> None:
        """Close the file; views handed out before stay valid."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            os.close(descriptor)


class FileWindow:
    """One pass's view of a file. Memory: the largest record asked for, and what is read beyond it.

    Args:
        file: Open.
        lookahead_bytes: Read beyond what is asked for.
    """

    def __init__(self, file: RecordingFile, *, lookahead_bytes: int = _LOOKAHEAD_BYTES) -> None:
        self._file = file
        self._lookahead_bytes = lookahead_bytes
        self._start = 0
        self._view = memoryview(b"")
        self.size_bytes = file.size_bytes

    def view(self, offset: int, length: int) -> memoryview:
        """Bytes [offset, offset + length) without a copy; they stay valid for as long as the view is held.

        Raises:
            EOFError: The file ends before; nothing is allocated for a length that a flipped bit made absurd.
            LimitError: It is more than one record may have.
        """
        start = offset - self._start
        end = start + length
        if start < 0 or end > len(self._view):
            if offset < 0 or length < 0 or offset + length > self.size_bytes:
                raise EOFError
            limits().check("record_bytes", length, what="a record's size", path=self._file.path)
            self._view = memoryview(b"")  # its buffer is free for the next
            self._view = self._file.read(offset, length + self._lookahead_bytes)
            self._start, start, end = offset, 0, length
            if len(self._view) < length:  # the file shrank since it was opened
                raise EOFError
        return self._view[start:end]


def unreadable(path: Path, error: OSError) -> RecordingError:
    """The error for a file that the operating system does not let us read."""
    if isinstance(error, NotRegularFileError):
        return RecordingError(f"it is {error.strerror}", path=path, remedy="Name an MCAP file, a .bag or a .db3")
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return RecordingError("there is no such file or folder", path=path, remedy="Check the path")
    if isinstance(error, PermissionError):
        return RecordingError("permission to read it is denied", path=path, remedy="Change its mode or owner")
    return RecordingError(f"it cannot be read ({error.strerror})", path=path, remedy="Check the disk it lies on")


def zeros_text(offset: int) -> str:
    """What is said of a file that holds nothing but zeros from an offset on."""
    return f"From byte {offset} on, the file holds nothing but zeros: it is read as if it ended there."
