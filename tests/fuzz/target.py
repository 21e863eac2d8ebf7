"""What is fuzzed: a parser or decoder that users' bytes reach."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bagmill.errors import BagmillError

Try = Callable[[bytes, Path], object]
"""(input, an empty folder to put it in) → anything; an error that is due is one of bagmill's own."""


@dataclass(frozen=True, slots=True)
class Target:
    """One of them."""

    name: str
    attempt: Try
    seeds: Callable[[], Sequence[bytes]]
    """Made when the target is chosen: some take a while."""
    tokens: Sequence[bytes] = ()
    refusals: tuple[type[Exception], ...] = (BagmillError,)
    """What it may raise; a parser that is private to a room of the library may have an error of its own."""
    mend: Callable[[bytes], bytes] | None = None
    """Makes good what would have every damaged input refused at once: checksums."""
    weight: float = 1.0
    """Its share of the inputs, against the others'."""
