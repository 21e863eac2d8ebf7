"""What an episode looks like on disk: names, versions and sizes, said once for writer and reader.

<dataset>/episodes/<episode>/<version>.zarr/     a Zarr v3 group, consolidated, immutable once it is there
images/<camera>, depth/<camera>, <signal>    one array a feature, first axis ticks
time                                         int64 (T,) ns since the Unix epoch
source/<feature>                             int64 (T,) stamp behind every tick, ns
valid/<feature>                              bool (T,)
interpolated/<feature>                       bool (T,)
sequence/<feature>                           int64 (T,) message behind every tick (`Message.sequence`); −1: none

A shard none of whose ticks has a frame has no file. Which files there are, and what tells each from any other, stands in the root
attribute `checksums`; see there.

A signal that several parts feed has `source/<feature>.<part>` and its like besides; without the part's name, they tell of the
part whose message is furthest from the tick.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bagmill.errors import StorageError

FORMAT_VERSION: Final = 1
"""Part of every episode version: a new format makes new episodes."""
FORMAT_ATTRIBUTE: Final = "bagmill_format"
"""Root attribute that holds `FORMAT_VERSION`."""

METADATA_FILE: Final = "zarr.json"
TIME: Final = "time"
SOURCE: Final = "source"
VALID: Final = "valid"
INTERPOLATED: Final = "interpolated"
SEQUENCE: Final = "sequence"
RESERVED: Final = (TIME, SOURCE, VALID, INTERPOLATED, SEQUENCE)
"""First parts of the names that are no feature's."""

MAX_TICKS: Final = 24 * 3600 * 1000
"""Of an episode: a day at 1 kHz."""

SUFFIX: Final = ".zarr"
"""Of an episode version's folder."""
_EPISODES: Final = "episodes"
_MAX_SHARD_TICKS: Final = 128
_MAX_CHUNK_BYTES: Final = 1 << 20


def episodes_folder(dataset: Path) -> Path:
    """Where a dataset's episodes are: one folder each."""
    return dataset / _EPISODES


def episode_path(dataset: Path, episode: str, version: str) -> Path:
    """Where a version of an episode is, or will be once it is published.

    Raises:
        StorageError: A name that would lead out of the dataset's folder or hide in it.
    """
    for noun, name in (("episode", episode), ("episode version", version)):
        if not name or name.startswith(".") or "/" in name or "\0" in name:
            raise StorageError(
                f"no {noun} can be called {name!r}",
                path=dataset,
                remedy="Use a name without slashes that does not begin with a dot",
            )
    return episodes_folder(dataset) / episode / f"{version}{SUFFIX}"


def is_episode(path: Path) -> bool:
    """Whether a path is that of a published episode."""
    return path.suffix == SUFFIX and not path.name.startswith(".") and (path / METADATA_FILE).is_file()


def is_array_name(name: object) -> bool:
    """Whether an array may be called so: a path below the episode's folder that stays there, and hides nothing."""
    return (
        isinstance(name, str)
        and "\0" not in name
        and all(part and not part.startswith(".") for part in name.split("/"))
    )


def is_feature(name: str) -> bool:
    """Whether an array is a feature, not one of those that describe the ticks."""
    return name.split("/", 1)[0] not in RESERVED


def names_that_clash(names: Iterable[str]) -> list[str]:
    """Arrays that lie inside another: `state/left` in `state`, which Zarr does not allow.

    Returns:
        The inner names.
    """
    known = set(names)
    return sorted(
        name for name in known if any("/".join(name.split("/")[:n]) in known for n in range(1, name.count("/") + 1))
    )


def shard_ticks(num_ticks: int) -> int:
    """Frames in a full shard of an array of this length."""
    return max(1, min(num_ticks, _MAX_SHARD_TICKS))


def chunk_ticks(num_ticks: int, *, tick_bytes: int) -> int:
    """Rows in a chunk of an array that is not made of frames: about a mebibyte."""
    return max(1, min(num_ticks, _MAX_CHUNK_BYTES // max(1, tick_bytes)))
