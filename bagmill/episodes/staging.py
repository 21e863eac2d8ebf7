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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import BinaryIO, Final, Self

from bagmill.episodes.layout import episode_path
from bagmill.errors import StorageError
from bagmill.pulse import pulse

_PREFIX: Final = ".staging-"
_LOCK_SUFFIX: Final = ".lock"
_OLD_SUFFIX: Final = ".old"
_FSYNC_THREADS: Final = 8


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
            parent.mkdir(parents=True, exist_ok=True)
            _sweep(parent)
            while True:
                path = parent / f"{_PREFIX}{version}-{os.getpid()}-{secrets.token_hex(4)}"
                lock_path = path.with_name(path.name + _LOCK_SUFFIX)
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
            replaces: Take what is there out of the way first.

        Returns:
            False where another writer was first: its episode stays and this one is removed.

        Raises:
            StorageError: The disk does not take it.
        """
        try:
            _fsync_tree(self.path)
            if replaces:
                # Under a staging name, so that it is swept if this writer dies before it has removed it.
                with contextlib.suppress(FileNotFoundError):
                    target.rename(self.path.with_name(f"{self.path.name}{_OLD_SUFFIX}"))
            try:
                # A folder replaces only an empty one, so of two writers exactly one succeeds.
                self.path.rename(target)
            except OSError as err:
                if err.errno not in (errno.ENOTEMPTY, errno.EEXIST):
                    raise
                is_first = False
            else:
                is_first = True
                _fsync(target.parent)
        except OSError as err:
            raise _no_storage(target, err) from err
        self.discard()
        return is_first

    def discard(self) -> None:
        """Remove the folder, if it is still there, and give up the lock."""
        _remove(self.path)
        self._lock_path.unlink(missing_ok=True)
        self._lock.close()


def sweep_staging(dataset: Path, episode: str) -> None:
    """Remove what writers that died have left of an episode; what is being written by others stays."""
    with contextlib.suppress(OSError, StorageError):  # the next writer of it tries again, and says so if it cannot
        _sweep(episode_path(dataset, episode, "any").parent)


def _sweep(parent: Path) -> None:
    for lock_path in sorted(parent.glob(f"{_PREFIX}*{_LOCK_SUFFIX}")):
        try:
            lock = lock_path.open("rb+")
        except FileNotFoundError:
            continue  # its writer has just finished
        with lock:
            if _try_lock(lock, lock_path):
                _remove(lock_path.with_name(lock_path.name.removesuffix(_LOCK_SUFFIX)))
                lock_path.unlink(missing_ok=True)


def _remove(path: Path) -> None:
    """Remove a staging folder, and what it took the place of."""
    shutil.rmtree(path, ignore_errors=True)
    shutil.rmtree(path.with_name(f"{path.name}{_OLD_SUFFIX}"), ignore_errors=True)


def _try_lock(lock: BinaryIO, lock_path: Path) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return os.path.samestat(os.fstat(lock.fileno()), lock_path.stat())
    except FileNotFoundError:
        return False


def _fsync_tree(folder: Path) -> None:
    paths = [Path(parent, name) for parent, _, names in os.walk(folder) for name in names]
    folders = [Path(parent) for parent, _, _ in os.walk(folder)]
    # Together, because a journalling file system commits what waits at the same time at once.
    with ThreadPoolExecutor(_FSYNC_THREADS) as pool:
        list(pool.map(_fsync, paths))
        list(pool.map(_fsync, folders))


def _fsync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
    pulse()  # a disk may take its time for gigabytes


def _no_storage(path: Path, err: OSError) -> StorageError:
    return StorageError(f"cannot be written ({err.strerror})", path=path, remedy="Check the disk's space and rights")
