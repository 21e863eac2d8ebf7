"""Which part of a dataset is looked at this time, so that all of it is once all parts have had their turn.

Whose turn it is stands in a small file of the dataset, not in a clock: however seldom somebody looks, no part is left out. Where
the file is lost, the first part begins.
"""

from __future__ import annotations

import math
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from bagmill.dataset import Dataset, write_whole
from bagmill.dataset.json_records import from_json, to_json
from bagmill.regular_files import read_regular

_SCHEMA: Final = "bagmill-verified-1"
_MOST_BYTES: Final = 4096


@dataclass(frozen=True, slots=True)
class Turn:
    """One part of a dataset's episodes."""

    number: int
    """From 0."""
    num_turns: int
    """Parts there are; 1: the whole."""

    def has(self, episode: str) -> bool:
        """Whether an episode is in this part; the same episode always is in the same."""
        return zlib.crc32(episode.encode("utf-8", "surrogateescape")) % self.num_turns == self.number


def take_turn(dataset: Dataset, fraction: float) -> Turn:
    """The part that comes after the one that was saved last.

    Args:
        dataset: Whose.
        fraction: Of its episodes that are looked at, > 0; from 1 on, all.
    """
    num_turns = max(1, math.ceil(1 / fraction - 1e-9))
    try:
        last = from_json(read_regular(_path(dataset), most_bytes=_MOST_BYTES), Turn, schema=_SCHEMA)
    except (OSError, ValueError):
        return Turn(0, num_turns)
    return Turn((last.number + 1) % num_turns, num_turns)


def save_turn(dataset: Dataset, turn: Turn) -> None:
    """Note that a part was looked at.

    Raises:
        StorageError: The disk does not take it: the same part is looked at once more.
    """
    write_whole(_path(dataset), to_json(turn, schema=_SCHEMA), is_synced=False)


def _path(dataset: Dataset) -> Path:
    return dataset.path / "verified.json"
