"""Files that are there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bagmill.disk import partial_file, sync_folder
from bagmill.errors import StorageError
from bagmill.regular_files import open_regular


def write_whole(path: Path, data: bytes, *, is_synced: bool = True) -> None:
    """Write a file under a temporary name beside its own and rename it; folders are made.

    The bytes are on the disk before the name is: after a crash there is the old file, or the new one, never a part.

    Args:
        path: Of the file.
        data: All of it.
        is_synced: Wait until the new name is on the disk, too. False where it need not be, as of a cache, or where the folder
            is synced later, before anything points at the file.

    Raises:
        StorageError: The disk does not take it.
    """
    with _written_beside(path, data) as partial:
        partial.replace(path)
        if is_synced:
            sync_folder(path.parent)


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
            # Whoever wrote it may have been killed before it was on the disk.
            sync_folder(path.parent)
            return False
        sync_folder(path.parent)
    return True


def remove_file(path: Path, *, remedy: str) -> bool:
    """Remove a file, and wait until it is gone from the disk.

    Returns:
        Whether it was there.

    Raises:
        StorageError: It cannot be removed.
    """
    if not os.path.lexists(path):
        return False  # asked first, because a read-only disk would refuse to remove even that
    try:
        path.unlink()
        sync_folder(path.parent)
    except FileNotFoundError:
        return False
    except OSError as err:
        raise StorageError(f"cannot be removed ({err.strerror})", path=path, remedy=remedy) from err
    return True


@contextmanager
def _written_beside(path: Path, data: bytes) -> Iterator[Path]:
    """The temporary name beside `path` under which the bytes are on the disk; gone when the block ends."""
    try:
        with partial_file(path) as (partial, file):
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            yield partial
    except OSError as err:
        raise StorageError(
            f"cannot be written ({err.strerror})", path=path, remedy="Make room or mend the folder's permissions"
        ) from err


def read_file(path: Path) -> bytes:
    """Read a file, and nothing else: a pipe in its place would be waited for.

    Raises:
        OSError: It is not there, may not be read, or is no file.
    """
    with os.fdopen(open_regular(path), "rb") as file:
        return file.read()


def read_whole(path: Path, *, remedy: str) -> bytes:
    """Read a file.

    Raises:
        StorageError: It is not there, may not be read, or is no file.
    """
    try:
        return read_file(path)
    except FileNotFoundError as err:
        raise StorageError("is not there", path=path, remedy=remedy) from err
    except OSError as err:
        raise StorageError(f"cannot be read ({err.strerror})", path=path, remedy=remedy) from err
