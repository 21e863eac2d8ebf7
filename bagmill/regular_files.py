"""Files that come from elsewhere, opened only where they are files: a pipe, a socket or a device is never waited for.

Opening a named pipe waits for whoever writes to it, opening a device may do something to it, and `/dev/zero` has no end. So
a path is looked at first, and what is opened is looked at once more.
"""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import Final

_KINDS: Final = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
)
_BLOCK_BYTES: Final = 1 << 20


class NotRegularFileError(OSError):
    """A path that names something other than a file: `strerror` says what."""


def open_regular(path: Path) -> int:
    """A descriptor of a file, to read from.

    Raises:
        NotRegularFileError: It is a folder, a pipe, a socket or a device.
        OSError: It is not there or may not be read.
    """
    try:
        _check(path, path.stat().st_mode)
        # Whatever has taken the file's place since is not waited for either.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
    except ValueError as err:  # a NUL in the path
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from err
    try:
        _check(path, os.fstat(descriptor).st_mode)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def read_regular(path: Path, *, most_bytes: int) -> bytes:
    """A file's bytes, and no more than one beyond `most_bytes`: that one tells the caller that there are too many.

    Raises:
        NotRegularFileError: It is a folder, a pipe, a socket or a device.
        OSError: It is not there or may not be read.
    """
    descriptor = open_regular(path)
    try:
        content = bytearray()
        while len(content) <= most_bytes and (
            more := os.read(descriptor, min(_BLOCK_BYTES, most_bytes + 1 - len(content)))
        ):
            content += more
        return bytes(content)
    finally:
        os.close(descriptor)


def is_regular(path: Path) -> bool:
    """Whether a path names a file; false, too, where it may not be looked at or no file can be called so."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def _check(path: Path, mode: int) -> None:
    if stat.S_ISREG(mode):
        return
    kind = next((name for is_kind, name in _KINDS if is_kind(mode)), "something else")
    raise NotRegularFileError(errno.EINVAL, f"{kind}, not a regular file", str(path))
