"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4

from bagmill.errors import StorageError


def write_whole(path: Path, data: bytes) -> None:
    """Write a file under a temporary name beside its own and rename it; folders are made.

    The bytes are on the disk before the name is: after a crash there is the old file, or the new one, never a part.

    Raises:
        StorageError: The disk does not take it.
    """
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with partial.open("xb") as file:
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            partial.replace(path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise
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
