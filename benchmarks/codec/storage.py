"""What every way to store a clip offers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.codec.scenes import Clip


class Stored(Protocol):
    """A clip on disk, open."""

    size_bytes: int

    def load(self, ticks: Sequence[int]) -> Clip:
        """Decode frames on one thread.

        Args:
            ticks: Increasing.

        Returns:
            (len(ticks), H, W, 3).
        """
        ...


@dataclass(frozen=True, slots=True)
class Method:
    """One way to store a clip."""

    name: str
    family: str
    """`png`, `episode` or `video`."""
    settings: dict[str, str | int]
    encode: Callable[[Clip, Path], float]
    """Encodes on one thread into a folder that is empty; gives the seconds it took."""
    open: Callable[[Path, int], Stored]
    """Opens what `encode` wrote; the number is that of the frames."""
    is_lossless: bool = False
