"""The folder an episode grows in, beside its final place, until it is moved there whole.

A living writer holds a lock on a file beside its folder, and the kernel drops the lock when the process dies, however
it dies: so the next writer of the episode can tell abandoned folders from those in use, and sweeps them.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final, Self

from bagmill.disk import exchange, files_below, folders_from, make_folders, sync_file, sync_folder
from bagmill.episodes.layout import METADATA_FILE, SUFFIX
from bagmill.errors import StorageError
from bagmill.pulse import pulse

_PREFIX: Final = ".staging-"
_LOCK_SUFFIX: Final = ".lock"
_OLD_SUFFIX: Final = ".old"
_SYNC_THREADS: Final = 8


class StagingFolder:
    """A folder that no reader takes for an episode; `claim` makes one.

    Attributes:
        path: The folder.
    """

    def __init__(self, path: Path, lock_path: Path, lock: BinaryIO) -> None:
        self.path = path
        self._lock_path = lock_path
        self._lock = lock

    @classmethod
    def claim(cls, parent: Path, *, version: str) -> Self:
        """Sweep what dead writers left in an episode's folder, then make a folder of one's own there.

        Raises:
            StorageError: The disk does not take it.
        """
        try:
            make_folders(parent)
            sweep_staging(parent)
            while True:
                path = parent / f"{_PREFIX}{version}-{os.getpid()}-{secrets.token_hex(4)}"
                lock_path = _lock_path(path)
                lock = lock_path.open("xb")
                # Between the two a sweeping writer may have taken the lock and the file away: try again then.
                if _try_lock(lock, lock_path):
                    break
                lock.close()
            path.mkdir()
        except OSError as err:
            raise _no_storage(parent, err) from err
        return cls(path, lock_path, lock)

    def publish(self, target: Path, *, replaces: bool = False) -> bool:
        """Make everything durable and move the folder to its final place, whole, unless that is taken.

        Args:
            target: The final place.
            replaces: Take the place of what is there, which is removed. At no moment is the place empty, where kernel and
                file system can exchange two names at once; else there is a moment, and a later writer's sweep puts back what
                was there if this one dies in it.

        Returns:
            False where another writer was first: its episode stays and this one is removed.

        Raises:
            StorageError: The disk does not take it.
        """
        try:
            _sync_tree(self.path)
            is_first = self._move_to(target, replaces=replaces)
            if is_first:
                sync_folder(target.parent)
        except OSError as err:
            raise _no_storage(target, err) from err
        self.discard()
        return is_first

    def _move_to(self, target: Path, *, replaces: bool) -> bool:
        if replaces:
            try:
                if exchange(self.path, target):
                    return True
                old = _old(self.path)
                target.rename(old)
                # As long as the new one may be lost, the name by which the sweep finds the old one must not be.
                sync_folder(old.parent)
            except FileNotFoundError:
                pass  # nothing is there to replace
        try:
            # A folder replaces only an empty one, so of two writers exactly one succeeds.
            self.path.rename(target)
        except OSError as err:
            if err.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise
            return False
        return True

    def discard(self) -> None:
        """Remove the folder, if it is still there, and give up the lock."""
        # What cannot be removed is swept by the next writer: it must not hide why this one has ended.
        with contextlib.suppress(OSError):
            _remove(self.path)
        with contextlib.suppress(OSError):
            self._lock_path.unlink(missing_ok=True)
        self._lock.close()


def sweep_staging(parent: Path) -> int:
    """Remove what dead writers left in an episode's folder, and put back what one had taken out of the way.

    Returns:
        How many writers left something; what cannot be removed stays, and nothing is raised for it.
    """
    num_swept = 0
    for path in _staged_in(parent):
        with contextlib.suppress(OSError), _dead(path) as is_dead:
            if is_dead:
                _remove(path)
                _lock_path(path).unlink(missing_ok=True)
                num_swept += 1
    return num_swept


def abandoned_staging(parent: Path) -> list[Path]:
    """The folders of dead writers in an episode's folder, which `sweep_staging` would remove."""
    found = []
    for path in _staged_in(parent):
        with contextlib.suppress(OSError), _dead(path) as is_dead:
            if is_dead:
                found.append(path)
    return found


@contextlib.contextmanager
def _dead(path: Path) -> Iterator[bool]:
    """Whether a staging folder's writer is dead; if so, nobody else sweeps it meanwhile."""
    lock_path = _lock_path(path)
    try:
        lock = lock_path.open("rb+")
    except FileNotFoundError:
        # A power cut took the lock's name: a living writer makes it first and removes it last.
        yield True
        return
    with lock:
        yield _try_lock(lock, lock_path)


def _staged_in(parent: Path) -> list[Path]:
    """The staging folders in an episode's folder, whatever is left of each."""
    try:
        with os.scandir(parent) as entries:
            names = [each.name for each in entries if each.name.startswith(_PREFIX)]
    except OSError:
        return []
    found = {name.removesuffix(_LOCK_SUFFIX).removesuffix(_OLD_SUFFIX) for name in names}
    return [parent / name for name in sorted(found)]


def _lock_path(path: Path) -> Path:
    return path.with_name(f"{path.name}{_LOCK_SUFFIX}")


def _old(path: Path) -> Path:
    """Where what a staging folder takes the place of is kept for a moment."""
    return path.with_name(f"{path.name}{_OLD_SUFFIX}")


def _remove(path: Path) -> None:
    """Remove a staging folder, and what it took the place of unless that place is empty: then it goes back."""
    old = _old(path)
    if (old / METADATA_FILE).is_file():
        version = path.name.removeprefix(_PREFIX).rsplit("-", 2)[0]
        try:
            old.rename(path.with_name(f"{version}{SUFFIX}"))
            sync_folder(path.parent)
        except OSError as err:
            if err.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                raise  # it stays with its lock: better a leftover than a lost episode
    shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(old, ignore_errors=True)


def _try_lock(lock: BinaryIO, lock_path: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return os.path.samestat(os.fstat(lock.fileno()), lock_path.stat())
    except FileNotFoundError:
        return False


def _sync_tree(folder: Path) -> None:
    # Together, because a journalling file system commits what waits at the same time at once.
    with ThreadPoolExecutor(_SYNC_THREADS) as pool:
        list(pool.map(_sync, files_below(folder)))
        list(pool.map(sync_folder, folders_from(folder)))


def _sync(path: Path) -> None:
    sync_file(path)
    pulse()  # a disk may take its time for gigabytes


def _no_storage(path: Path, err: OSError) -> StorageError:
    return StorageError(f"cannot be written ({err.strerror})", path=path, remedy="Check the disk's space and rights")
