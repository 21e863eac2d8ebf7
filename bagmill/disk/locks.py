"""Locks on folders themselves, which leave no file behind: the kernel gives them up when their process ends, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def locked_folder(folder: Path, *, is_shared: bool = False) -> Iterator[None]:
    """Hold a folder's lock; waits for whoever holds it otherwise.

    Nothing is held where there is no such folder, or where its file system has no locks.

    Args:
        folder: Whose lock.
        is_shared: With others that share it; otherwise alone.

    Raises:
        OSError: The folder cannot be opened.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except FileNotFoundError:
        yield
        return
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_SH if is_shared else fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
