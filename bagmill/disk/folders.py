"""Names that stay: a new file or folder is on the disk for good only once the folder that names it was synced."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path
from typing import Final

_named: set[str] = set()
"""Folders of which this process knows that their names are on the disk, up to the mount."""
_MOST_KNOWN: Final = 100_000


def sync_file(path: Path) -> None:
    """Wait until a file's bytes, or a folder's names, are on the disk.

    Raises:
        OSError: The disk does not take them.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


sync_folder = sync_file


def make_folders(folder: Path) -> None:
    """Make a folder and those above it, as far as they are not there, and put the name of each on the disk.

    A folder that is there may have been made by a process that was killed before it synced the name: so the names of those
    above are synced, too, the first time that this process meets them.

    Raises:
        OSError: The disk does not take it.
    """
    folder = Path(os.path.abspath(folder))  # noqa: PTH100 - `absolute` leaves `..` in, which would be synced in vain
    missing: list[Path] = []
    for place in (folder, *folder.parents):
        try:
            place.mkdir()
        except FileExistsError:
            if not place.is_dir():
                raise
            break
        except FileNotFoundError:
            missing.append(place)
        except OSError:
            # Of `/`, of a place where nothing may be made, and of a read-only disk the error is not that it is there.
            if not place.is_dir():
                raise
            break
        else:
            sync_folder(place.parent)
            _remember(place)
            break
    for place in reversed(missing):
        with contextlib.suppress(FileExistsError):
            place.mkdir()
        sync_folder(place.parent)
        _remember(place)
    _sync_names_above(folder)


def _sync_names_above(folder: Path) -> None:
    for place in (folder, *folder.parents):
        if str(place) in _named:
            continue
        if place == place.parent or os.path.ismount(place):
            _remember(place)
            return
        try:
            sync_folder(place.parent)
        except OSError as err:
            # Who made a folder that may not be looked at was not one of us; and some file systems know no sync of folders.
            if not (isinstance(err, PermissionError) or err.errno == errno.EINVAL):
                raise
        _remember(place)


def _remember(place: Path) -> None:
    if len(_named) >= _MOST_KNOWN:
        _named.clear()
    _named.add(str(place))
