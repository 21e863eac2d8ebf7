"""A rosbag2 folder without a legible metadata.yaml: its files in the order of their numbers."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bagmill.recordings.losses import LossLog
from bagmill.recordings.rosbag2_metadata import BagMetadata, Duration

_SPLIT: Final = re.compile(r"(?P<stem>.+)_(?P<number>\d{1,9})(?P<suffix>\.(?:mcap|db3)(?:\.zstd)?)")
"""As rosbag2 names them: `<folder>_<number>.<suffix>`."""
_SUFFIXES: Final = (".mcap", ".db3", ".mcap.zstd", ".db3.zstd")
_MOST_TOLD: Final = 100


def guess_metadata(folder: Path, *, losses: LossLog) -> BagMetadata | None:
    """What the names of a folder's files say; None where none of them is called like one of a rosbag2's.

    Args:
        folder: The folder.
        losses: Where numbers go that are missing between others.
    """
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file() and path.name[0] != ".")
    except OSError:
        return None
    names = [name for name in names if name.endswith(_SUFFIXES)]
    numbered = [match for name in names if (match := _SPLIT.fullmatch(name))]
    if len(numbered) == len(names) and len({match["stem"] for match in numbered}) == 1:
        numbered.sort(key=lambda match: int(match["number"]))
        names = [match[0] for match in numbered]
        for name in _missing(numbered):
            losses.add("missing_split", name)
    if not names:
        return None
    return BagMetadata(
        relative_file_paths=tuple(names), duration=Duration(nanoseconds=0), message_count=0, is_guessed=True
    )


def is_folder_without_metadata(folder: Path, names: list[str]) -> bool:
    """Whether files are called as rosbag2 calls those of this very folder."""
    matches = [_SPLIT.fullmatch(name) for name in names if name.endswith(_SUFFIXES)]
    return bool(matches) and all(match is not None and match["stem"] == folder.name for match in matches)


def _missing(matches: list[re.Match[str]]) -> Iterator[str]:
    """Names of files whose numbers stand between those that are there."""
    num_told = 0
    for before, after in itertools.pairwise(matches):
        for number in range(int(before["number"]) + 1, int(after["number"])):
            if num_told == _MOST_TOLD:
                return
            num_told += 1
            yield f"{before['stem']}_{number}{before['suffix']}"
