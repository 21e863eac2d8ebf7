"""What a disk answers, in bagmill's own words: at the doors of a room, so that no call behind them is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

from bagmill.errors import StorageError

P = ParamSpec("P")
T = TypeVar("T")


def disk_error(error: OSError) -> StorageError:
    """The error that a user is told for one of the operating system's."""
    return StorageError(
        f"cannot be read or written ({error.strerror or error})",
        path=None if error.filename is None else str(error.filename),
        remedy="Check the disk's space and health, and the folder's permissions",
    )


def tells_of_disk(function: Callable[P, T]) -> Callable[P, T]:
    """A function whose disk errors, if it has not told them itself, are StorageErrors."""

    @wraps(function)
    def told(*args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return function(*args, **kwargs)
        except OSError as err:
            raise disk_error(err) from err

    return told
