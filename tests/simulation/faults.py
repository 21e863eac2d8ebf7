"""What goes wrong in one run of a process, and at which of its system calls."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal["look", "open", "read", "create", "write", "name", "free", "sync", "lock"]
"""Of a system call: stat and list; open what is there; read; make a file or folder; write or truncate; rename or link; unlink
or rmdir; fsync; flock."""

CHANGES: Final[frozenset[Kind]] = frozenset({"create", "write", "name", "free", "sync"})
"""Calls before which a crash is another one than before the call that follows."""

ERRORS: Final[Mapping[int, frozenset[Kind]]] = {
    errno.EIO: frozenset({"look", "open", "read", "create", "write", "name", "free", "sync"}),
    errno.ENOSPC: frozenset({"create", "write", "name", "sync"}),
    errno.EDQUOT: frozenset({"create", "write", "name", "sync"}),
    errno.EROFS: frozenset({"create", "write", "name", "free"}),
    errno.EACCES: frozenset({"look", "open", "create", "name", "free"}),
}
"""Error number → kinds of calls that may fail with it."""


class Killed(BaseException):
    """The process has ended; whatever it still calls has no effect and raises this again."""


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong in one run; calls are counted from 1, nothing is planned where a number is 0."""

    crash_at: int = 0
    """The call among `CHANGES` before which the process ends; of a write, a part may have been written."""
    is_power_cut: bool = False
    """With the process ends the machine."""
    error: int = 0
    """Error number."""
    error_at: int = 0
    """The first call that fails, among those that may fail with `error`."""
    is_lasting: bool = False
    """Every later one fails, too."""


NONE: Final = Faults()
