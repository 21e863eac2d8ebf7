"""The recordings below a folder."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from bagmill.errors import RecordingError
from bagmill.local_paths import local_path
from bagmill.recordings.file_window import unreadable
from bagmill.recordings.open import is_recording_magic, read_beginning, read_magic
from bagmill.recordings.rosbag2_metadata import FILE_NAME, ROOT_KEY
from bagmill.recordings.salvage.rosbag2_folder import is_folder_without_metadata
from bagmill.regular_files import is_regular

_SUFFIXES = frozenset({".mcap", ".bag", ".db3"})
_PARTIAL_SUFFIXES = frozenset({".part", ".partial", ".tmp", ".crdownload", ".swp"})
_ROOT_KEY_WITHIN_BYTES = 64 * 1024


def discover(
    folder: Path | str, *, tell: Callable[[RecordingError], None] | None = None, salvage: bool = False
) -> list[Path]:
    """Recordings below a folder, sorted: rosbag2 folders, each once, and files outside them.

    A file counts by its first bytes, or by its suffix alone: one that is named like a recording and is none has to be
    refused by name, not passed over. Left out are hidden files, partial downloads, and Zarr stores. Nothing is waited for:
    pipes, sockets and devices are not opened.

    Args:
        folder: Where to look.
        tell: Told of each file and folder below that may not be looked at; the look goes on. None: the first ends it.
        salvage: Take a folder without a metadata.yaml, whose files are called as rosbag2 calls those of this folder, for one
            recording.

    Raises:
        AddressError: It is an address, not a path on this machine.
        RecordingError: The folder is missing or may not be read; without `tell` also one below it.
    """
    folder = local_path(folder)
    if not folder.is_dir():
        problem = "it is a file" if folder.exists() else "there is no such folder"
        raise RecordingError(problem, path=folder, remedy="Name a folder that holds recordings")
    return sorted(_Walk(folder, tell, salvage=salvage).recordings())


class _Walk:
    """One look below a folder."""

    def __init__(self, folder: Path, tell: Callable[[RecordingError], None] | None, *, salvage: bool) -> None:
        self._salvage = salvage
        self._folder = folder
        self._tell = tell

    def recordings(self) -> Iterator[Path]:
        """In the order in which they are found."""
        seen: set[tuple[int, int]] = set()
        for root, folders, files in os.walk(self._folder, onerror=self._refused, followlinks=True):
            here = Path(root)
            try:
                status = here.stat()
            except OSError as err:  # gone this instant, or a path too long
                folders.clear()
                self._refused(err)
                continue
            # A link to a folder above would otherwise be walked until its path is too long.
            if (status.st_dev, status.st_ino) in seen:
                folders.clear()
                continue
            seen.add((status.st_dev, status.st_ino))
            if FILE_NAME in files and self._asked(_is_rosbag2, here / FILE_NAME):
                folders.clear()
                yield here
                continue
            if self._salvage and FILE_NAME not in files and is_folder_without_metadata(here, files):
                folders.clear()
                yield here
                continue
            folders[:] = sorted(name for name in folders if not name.startswith(".") and not name.endswith(".zarr"))
            yield from (path for name in files if self._asked(_is_recording, path := here / name))

    def _asked(self, is_one: Callable[[Path], bool], path: Path) -> bool:
        """What a question about a file says; no, where it may not be looked at."""
        try:
            return is_one(path)
        except RecordingError as err:
            if self._tell is None:
                raise
            self._tell(err)
            return False

    def _refused(self, error: OSError) -> None:
        path = Path(os.fsdecode(error.filename)) if error.filename else self._folder
        refused = unreadable(path, error)
        if self._tell is None or path == self._folder:
            raise refused from error
        self._tell(refused)


def _is_rosbag2(path: Path) -> bool:
    """Whether a metadata.yaml is a rosbag2's: many other formats have one."""
    return is_regular(path) and ROOT_KEY.encode() in read_beginning(path, _ROOT_KEY_WITHIN_BYTES)


def _is_recording(path: Path) -> bool:
    if path.name.startswith(".") or path.name.endswith("~") or path.suffix in _PARTIAL_SUFFIXES:
        return False
    if path.suffix in _SUFFIXES:
        return True
    if not is_regular(path):  # sockets, pipes, links to nowhere
        return False
    return is_recording_magic(path, read_magic(path))
