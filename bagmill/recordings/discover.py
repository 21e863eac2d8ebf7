"""The recordings below a folder."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NoReturn

from bagmill.errors import RecordingError
from bagmill.local_paths import local_path
from bagmill.recordings.file_window import unreadable
from bagmill.recordings.open import is_recording_magic, read_magic
from bagmill.recordings.rosbag2_metadata import FILE_NAME, ROOT_KEY
from bagmill.recordings.salvage.rosbag2_folder import is_folder_without_metadata

_SUFFIXES = frozenset({".mcap", ".bag", ".db3"})
_PARTIAL_SUFFIXES = frozenset({".part", ".partial", ".tmp", ".crdownload", ".swp"})
_ROOT_KEY_WITHIN_BYTES = 64 * 1024


def discover(folder: Path | str, *, salvage: bool = False) -> list[Path]:
    """Recordings below a folder, sorted: rosbag2 folders, each once, and files outside them.

    A file counts by its first bytes, or by its suffix alone: one that is named like a recording and is none has to be
    refused by name, not passed over. Left out are hidden files, partial downloads, and Zarr stores.

    Args:
        folder: Where to look.
        salvage: Take a folder without a metadata.yaml, whose files are called as rosbag2 calls those of this folder, for one
            recording.

    Raises:
        AddressError: It is an address, not a path on this machine.
        RecordingError: The folder, or one below it, is missing or may not be read.
    """
    folder = local_path(folder)
    if not folder.is_dir():
        problem = "it is a file" if folder.exists() else "there is no such folder"
        raise RecordingError(problem, path=folder, remedy="Name a folder that holds recordings")
    found: list[Path] = []
    seen: set[tuple[int, int]] = set()
    for root, folders, files in os.walk(folder, onerror=_raise, followlinks=True):
        status = Path(root).stat()
        # A link to a folder above would otherwise be walked until its path is too long.
        if (status.st_dev, status.st_ino) in seen:
            folders.clear()
            continue
        seen.add((status.st_dev, status.st_ino))
        if FILE_NAME in files and _is_rosbag2(Path(root, FILE_NAME)):
            found.append(Path(root))
            folders.clear()
            continue
        if salvage and FILE_NAME not in files and is_folder_without_metadata(Path(root), files):
            found.append(Path(root))
            folders.clear()
            continue
        folders[:] = sorted(name for name in folders if not name.startswith(".") and not name.endswith(".zarr"))
        found += [path for name in files if _is_recording(path := Path(root, name))]
    return sorted(found)


def _is_rosbag2(path: Path) -> bool:
    """Whether a metadata.yaml is a rosbag2's: many other formats have one."""
    try:
        with path.open("rb") as file:
            return ROOT_KEY.encode() in file.read(_ROOT_KEY_WITHIN_BYTES)
    except OSError as err:
        raise unreadable(path, err) from err


def _is_recording(path: Path) -> bool:
    if path.name.startswith(".") or path.name.endswith("~") or path.suffix in _PARTIAL_SUFFIXES:
        return False
    if path.suffix in _SUFFIXES:
        return True
    if not path.is_file():  # sockets, pipes, links to nowhere
        return False
    return is_recording_magic(path, read_magic(path))


def _raise(error: OSError) -> NoReturn:
    raise unreadable(Path(error.filename), error) from error
