"""A large file that is there whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

from bagmill.errors import StorageError

_EXISTS = "is there already"
_USE_FORCE = "Name another file, or write over it with --force"


@contextmanager
def written_whole(path: Path, *, is_replacing: bool) -> Iterator[BinaryIO]:
    """A file to write, which gets its name once the block ends without an error, its bytes on the disk before.

    Args:
        path: The name.
        is_replacing: Take the place of a file that has it.

    Raises:
        StorageError: There is such a file, or the disk does not take it.
    """
    refuse_existing(path, is_replacing=is_replacing)
    partial = path.with_name(f".{path.name}.{uuid4().hex[:8]}.partial")
    try:
        try:
            with partial.open("xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            if is_replacing:
                partial.replace(path)
            else:
                _name_new(partial, path)
            _sync_folder(path.parent)
        finally:
            partial.unlink(missing_ok=True)
    except OSError as err:
        raise StorageError(
            f"cannot be written ({err.strerror})", path=path, remedy="Make room or mend the folder's permissions"
        ) from err


def refuse_existing(path: Path, *, is_replacing: bool) -> None:
    """Make sure that nothing is in the way of a file.

    Raises:
        StorageError: A folder is, or a file that is not to be replaced.
    """
    if path.is_dir():
        raise StorageError("is a folder", path=path, remedy="Name a file")
    if not is_replacing and os.path.lexists(path):
        raise StorageError(_EXISTS, path=path, remedy=_USE_FORCE)
    if not path.parent.is_dir():
        raise StorageError("its folder is not there", path=path, remedy="Make the folder first")


def _name_new(partial: Path, path: Path) -> None:
    """Linked, not renamed: a rename would replace what another process has written meanwhile."""
    try:
        path.hardlink_to(partial)
    except FileExistsError as err:
        raise StorageError(_EXISTS, path=path, remedy=_USE_FORCE) from err
    except OSError:  # a file system without links
        partial.rename(path)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
