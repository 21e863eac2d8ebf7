"""Files in the making, beside the place that they go to: `.<name>.partial`, locked as long as their writer lives.

The lock is the kernel's, on the unfinished file itself, and goes with the process however it ends: so what a dead writer has
left is told from what is being written, without a look at any clock.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from bagmill.disk.folders import make_folders

_SUFFIXES: Final = (".partial", ".tmp")
"""The second is of scans' indices as earlier versions wrote them."""


@contextmanager
def partial_file(path: Path) -> Iterator[tuple[Path, BinaryIO]]:
    """An empty file beside `path` and its name, for one writer; gone when the block ends, unless it was renamed.

    Folders are made. A name that another living writer holds is not waited for: this one gets another.

    Raises:
        OSError: The disk does not take it.
    """
    make_folders(path.parent)
    partial, file = _claim(path)
    with file:
        try:
            yield partial, file
        finally:
            # Once it is renamed, the name may be that of another writer's file.
            with contextlib.suppress(OSError):
                if os.path.samestat(os.fstat(file.fileno()), partial.stat()):
                    partial.unlink()


def sweep_partials(folder: Path) -> int:
    """Remove what dead writers left in a folder.

    Returns:
        How many files went; what cannot be removed stays, and nothing is raised for it.
    """
    return sum(map(sweep_one, dead_partials(folder)))


def sweep_partial(path: Path) -> bool:
    """Remove what a dead writer of one file left beside it, without a look through the folder; whether there was any."""
    return sweep_one(_first_name(path))


def dead_partials(folder: Path) -> list[Path]:
    """What dead writers left in a folder, sorted; nothing where it cannot be listed."""
    try:
        with os.scandir(folder) as entries:
            names = [entry.name for entry in entries if entry.name[:1] == "." and entry.name.endswith(_SUFFIXES)]
    except OSError:
        return []
    return [folder / name for name in sorted(names) if _is_dead(folder / name)]


def sweep_one(partial: Path) -> bool:
    """Remove an unfinished file unless its writer lives; whether it went."""
    with contextlib.suppress(OSError), _opened(partial) as file:
        if file is not None and _lock(file, partial):
            partial.unlink(missing_ok=True)
            return True
    return False


def _is_dead(partial: Path) -> bool:
    with contextlib.suppress(OSError), _opened(partial) as file:
        return file is not None and _lock(file, partial)
    return False


@contextmanager
def _opened(partial: Path) -> Iterator[BinaryIO | None]:
    """The file; None for what none of our writers has left: a link, a pipe, which would wait for its other end."""
    descriptor = os.open(partial, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
    with os.fdopen(descriptor, "rb") as file:
        yield file if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _first_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.partial")


def _claim(path: Path) -> tuple[Path, BinaryIO]:
    partial = _first_name(path)
    while True:
        # Not for appending, which would write a ZIP file's corrections to its end.
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
        file = os.fdopen(os.open(partial, flags, 0o666), "wb")
        try:
            if _lock(file, partial):
                if os.fstat(file.fileno()).st_nlink == 1:
                    file.truncate(0)
                    return partial, file
                # Its writer died after it had given the file its second name: what that names is published.
                partial.unlink()
        except OSError:
            # A file system without locks: nobody sweeps there, so a name that nobody else has will do.
            file.close()
            partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")
            return partial, partial.open("xb")
        file.close()
        if os.path.lexists(partial):
            partial = path.with_name(f".{path.name}.{secrets.token_hex(4)}.partial")


def _lock(file: BinaryIO, path: Path) -> bool:
    """Take the lock of an open file that has its name still; False where another has it, or the name is gone."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
