"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from bagmill.errors import StorageError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside its own and rename it; folders are made.

    The bytes are on the disk before the name is: after a crash there is the old file, or the new one, never a part.

    Raises:
        StorageError: The disk does not take it.
    """
    with _written_beside(path, data) as partial:
        partial.replace(path)


def write_new(path: Path, data: bytes) -> bool:
    """Write a file as `write_whole` does, unless there is one.

    Returns:
        Whether it is new; of several that write the same file at once, one is told so.

    Raises:
        StorageError: The disk does not take it.
    """
    with _written_beside(path, data) as partial:
        try:
            # Linked, not renamed into place: a rename would replace what another process has written meanwhile.
            path.hardlink_to(partial)
        except FileExistsError:
            return False
    return True


@contextmanager
def _written_beside(path: Path, data: bytes) -> Iterator[Path]:
    """The temporary name beside `path` under which the bytes are on the disk; gone when the block ends."""
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            yield partial
        finally:
            partial.unlink(missing_ok=True)
    except OSError as err:
        raise StorageError(
            f"cannot be written ({err.strerror})", path=path, remedy="Make room or mend the folder's permissions"
        ) from err


def read_whole(path: Path, *, remedy: str) -> bytes:
    """Read a file.

    Raises:
        StorageError: It is not there or may not be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError as err:
        raise StorageError("is not there", path=path, remedy=remedy) from err
    except OSError as err:
        raise StorageError(f"cannot be read ({err.strerror})", path=path, remedy=remedy) from err
