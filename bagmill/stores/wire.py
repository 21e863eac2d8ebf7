"""What a process and the one that fetches for it say to each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from bagmill.addresses import public_address
from bagmill.errors import StorageError

Outcome = Literal["here", "absent", "no room"]
"""The file is on this machine; the store has no such object; the object's shard does not go into the bound any more."""


@dataclass(frozen=True, slots=True)
class StoreSettings:
    """Which store, and how it is asked."""

    address: str = field(repr=False)
    """Whole, with what may be a secret in it."""
    patience_s: float
    """How long a store that does not answer is asked again."""
    num_parallel: int
    """Requests at a time."""

    def told(self, key: str = "") -> str:
        """The address of an object, or of the store, as it may be told."""
        return public_address(self.address, key)


@dataclass(frozen=True, slots=True)
class Bound:
    """What shards may take, and which of them may go."""

    ledger: str
    """Path of the file that says which shards there are."""
    max_bytes: int
    started_ns: int
    """Shards that were used after this, since the epoch, stay."""


@dataclass(frozen=True, slots=True)
class Whole:
    """Fetch an object to a file."""

    key: str
    """Of the object, below the store's address."""
    path: str
    bound: Bound | None = None
    """Of shards; None: it is kept whatever its size."""
    is_replacing: bool = False
    """Fetch it although there is a file already."""


@dataclass(frozen=True, slots=True)
class Tail:
    """Fetch an object's last bytes to a file: behind the object's size in bytes, uint64, little endian."""

    key: str
    path: str
    num_bytes: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """Fetch pieces of an object, [start, end), into memory."""

    key: str
    places: tuple[tuple[int, int], ...]


Request = Whole | Tail | Pieces


@dataclass(frozen=True, slots=True)
class Answer:
    """What has become of a request."""

    outcome: Outcome
    pieces: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Numbered:
    """An answer with the number of its request."""

    number: int
    answer: Answer | StorageError


SIZE_BYTES = 8
"""Of the size before a tail."""
