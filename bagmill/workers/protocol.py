"""What the asking process, the server and the children say to each other.

Between the asker and the server goes a socket of small packets: orders with the descriptors that the new child takes over, and
news of children that ended. Everything large goes between asker and child, over a pipe of the child's own: the server, which
all depend on, never reads what a recording could have had a hand in.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from bagmill.limits import Limits

PACKET: Final = struct.Struct("<cQqq")
"""An order or a piece of news, the child's number, and two numbers more."""
FORK: Final = b"F"
"""Order: fork a child; descriptors of its pipe and of its output come with it."""
KILL: Final = b"K"
"""Order: end a child and all that it started."""
STARTED: Final = b"S"
"""News: a child's process ID."""
ENDED: Final = b"E"
"""News: how a child ended, as `os.waitpid` tells it, and the most memory it had, KiB. All that it started is ended, too."""


@dataclass(frozen=True, slots=True)
class Job:
    """What a child is to do; the first thing on its pipe."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    limits: Limits
    """Of the asker."""
    memory_bytes: int
    """That the child may take."""
    folder: str
    """The asker's working directory, from which relative paths start."""
    scratch: str
    """A folder for temporary files, which the asker removes."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a child's function said of its progress."""

    said: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Pulse:
    """A child has come further, and has nothing to show for it."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What a child's function gave."""

    value: Any


@dataclass(frozen=True, slots=True)
class Raised:
    """What a child's function raised and the asker is to raise again: an error of bagmill's, which can be sent."""

    error: Exception


@dataclass(frozen=True, slots=True)
class Failed:
    """Any other exception of a child's function, in words."""

    kind: str
    """Its class."""
    message: str
    traceback: str
    is_out_of_memory: bool
    is_too_deep: bool


Message = Step | Pulse | Returned | Raised | Failed
"""What a child sends; the last three once, as the last."""
