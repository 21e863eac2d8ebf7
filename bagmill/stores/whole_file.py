"""Files that several processes may fetch at once: one does, the others wait, and what has its name is whole."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO


def write_once(path: Path, write: Callable[[BinaryIO], bool], *, is_replacing: bool = False) -> bool:
    """Write a file under another name and rename it, unless another process has done so by the time that this one may.

    The lock is the kernel's, on the unfinished file itself: where its holder is killed, the next one begins it anew.

    Args:
        path: Of the file; folders are made.
        write: Writes it, and says whether it is to stand.
        is_replacing: Write it although there is one.

    Returns:
        Whether it is there.

    Raises:
        OSError: The disk does not take it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.partial")
    with _locked(partial) as file:
        try:
            if path.exists() and not is_replacing:
                return True
            file.truncate(0)
            is_whole = write(file)
            if is_whole:
                file.flush()
                # Bytes before their name: after a power cut, what has its name must be whole. The name itself may be lost.
                os.fsync(file.fileno())
                partial.replace(path)
            return is_whole
        finally:
            # Once it is renamed, the name may be that of the next one's file.
            if _is_named(file, partial):
                partial.unlink(missing_ok=True)


def _locked(partial: Path) -> BinaryIO:
    while True:
        file = partial.open("ab")
        fcntl.flock(file, fcntl.LOCK_EX)
        if _is_named(file, partial):
            return file
        # Whoever had the lock has renamed or removed it: this file has no name any more.
        file.close()


def _is_named(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False
