"""A recording's path → its episode's name, which is a folder, a file name and a partition key at once."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path

from bagmill.errors import StorageError

_SEPARATOR = "__"
_FOREIGN = re.compile(r"[^A-Za-z0-9._-]")
_HASHED = re.compile(r"-[0-9a-f]{10}$")
_MAX_LENGTH = 160
"""Suffixes, versions and temporary names must still fit into the 255 bytes of a file name."""


def episode_name(recordings_folder: Path | str, path: Path | str) -> str:
    """The episode that a recording becomes: its path below the folder of recordings, `/` written as `__`.

    `day1/run3.mcap` is `day1__run3.mcap`. A path that this would not give back (characters other than letters, digits,
    `.`, `_` and `-`, a `__` of its own, a leading dot or dash, more than 160 characters) is written as far as it goes,
    with ten digits of its hash behind, so that two recordings never share a name.

    Args:
        recordings_folder: Where all recordings lie.
        path: File or rosbag2 folder below it, or the folder itself.

    Returns:
        Letters, digits, `.`, `_` and `-`; begins with a letter, a digit or `_`; no more than 160 characters.

    Raises:
        StorageError: The recording does not lie below the folder.
    """
    folder, recording = Path(recordings_folder).absolute(), Path(path).absolute()
    try:
        parts = recording.relative_to(folder).parts or (folder.name,)
    except ValueError:
        raise StorageError(
            f"the recording does not lie below the folder of recordings {folder}",
            path=recording,
            remedy="Name a folder of recordings that it lies in",
        ) from None
    if ".." in parts:
        raise StorageError(
            "a path with `..` has no name of its own", path=recording, remedy="Write the path without it"
        )
    name = _SEPARATOR.join(parts)
    if _says_it_all(name, parts):
        return name
    # fsencode: names that are not UTF-8 have bytes, too
    digest = hashlib.sha256(os.fsencode("/".join(parts))).hexdigest()[:10]
    legible = _FOREIGN.sub("-", name).lstrip(".-").replace("...", "---")
    return f"{legible[: _MAX_LENGTH - 11] or '_'}-{digest}"


def _says_it_all(name: str, parts: tuple[str, ...]) -> bool:
    return (
        len(name) <= _MAX_LENGTH
        and not _FOREIGN.search(name)
        and tuple(name.split(_SEPARATOR)) == parts
        and name[0] not in ".-"
        # Dagster writes ranges of partitions with three dots.
        and "..." not in name
        # What looks like a hash must be one, else a file could be called what another one's name becomes.
        and not _HASHED.search(name)
    )
