"""Reads an episode back, every byte of it, and lists what is damaged."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Final

import numpy as np
import zarr
from numpy.typing import NDArray

from bagmill.codecs import whole_jpeg
from bagmill.disk import is_absent
from bagmill.episodes import checksums, layout
from bagmill.episodes.frame_array import FrameArray, parse_frame_array
from bagmill.episodes.metadata import read_root_metadata
from bagmill.episodes.node_metadata import MOST_BYTES, check_array, check_chunks, read_json
from bagmill.episodes.shard import ShardReader
from bagmill.episodes.shard_index import CRC_BYTES
from bagmill.episodes.value_array import stored_checksum
from bagmill.errors import BagmillError, StorageError
from bagmill.profile import feature_kind
from bagmill.regular_files import open_regular, read_regular

_GROUP: Final = {"attributes": {}, "zarr_format": 3, "node_type": "group"}


@dataclass(frozen=True, slots=True)
class Damage:
    """One thing wrong with an episode."""

    array: str
    """Name of the array; empty for the episode as a whole."""
    tick: int | None
    """The tick that cannot be read, the first of several where they fail together; None where it is the whole array."""
    problem: str
    """What is wrong, as a clause."""

    def __str__(self) -> str:
        place = self.array if self.tick is None else f"{self.array} at tick {self.tick}"
        return f"{place}: {self.problem}" if place else self.problem


@dataclass(frozen=True, slots=True)
class VerifyReport:
    """What reading an episode back found."""

    path: Path
    num_arrays: int
    num_chunks: int
    """Read, their checksums compared, and decoded; ticks that share their bytes count once."""
    damages: tuple[Damage, ...]
    has_checksums: bool = True
    """It says which files it has, and a checksum of each; False for one from before episodes did."""
    episode: str | None = None
    """What it calls itself; None where it does not."""
    version: str | None = None

    @property
    def is_whole(self) -> bool:
        """No damage was found."""
        return not self.damages


def verify_episode(path: Path, *, progress: Callable[[int, int], None] | None = None) -> VerifyReport:
    """Read back every chunk of every array of an episode; never stops at the first damage.

    Args:
        path: The episode's folder.
        progress: Called with (arrays done, arrays in all).

    Returns:
        Every damage found. One that keeps the episode from being opened is the only one.
    """
    path = Path(path)
    try:
        attributes, arrays = read_root_metadata(path)
    except StorageError as err:
        return VerifyReport(path, 0, 0, (Damage("", None, err.problem),))
    files = checksums.of_attribute(attributes)
    check = _Check(path, arrays, files)
    check.check_root()
    check.check_groups()
    for done, name in enumerate(arrays):
        check.check_array(name)
        if progress is not None:
            progress(done + 1, len(arrays))
    check.check_ticks()
    return VerifyReport(
        path,
        len(arrays),
        check.num_chunks,
        tuple(check.damages),
        has_checksums=files is not None,
        episode=attributes.get("episode"),
        version=attributes.get("version"),
    )


class _Check:
    """One run over one episode: what was found so far, and what is needed for the checks across arrays."""

    def __init__(
        self, path: Path, arrays: Mapping[str, dict[str, Any]], files: Mapping[str, list[str | None]] | None
    ) -> None:
        self.damages: list[Damage] = []
        self.num_chunks = 0
        self._path = path
        self._arrays = arrays
        self._files = files
        """By array, the checksum of every file of chunks, None where there was none; None: it is not known."""
        self._values: dict[str, NDArray[Any]] = {}
        """Arrays that describe the ticks, where they could be read whole."""
        self._stored: dict[str, NDArray[np.bool_]] = {}
        """Frame array → ticks whose frame is stored; only where every shard's index could be read."""

    def check_root(self) -> None:
        """Whether the root metadata are those that were written, and speak of the same arrays throughout."""
        try:
            text = read_regular(self._path / layout.METADATA_FILE, most_bytes=MOST_BYTES)
            if self._files is None and not checksums.may_be_sealed(text):
                return
            if not checksums.is_sealed_right(text):
                self._note("", None, "its metadata do not match their checksum: they were damaged, or changed by hand")
        except OSError as err:
            self._note("", None, f"its metadata cannot be read ({err.strerror})")
        for name in sorted((self._files or {}).keys() - self._arrays.keys()):
            self._note(name, None, "the array is missing")

    def check_groups(self) -> None:
        """Whether what holds the arrays is there: readers that know nothing of consolidated metadata go from one to the next."""
        groups = {str(parent) for name in self._arrays for parent in PurePosixPath(name).parents} - {"."}
        for name in sorted(groups):
            try:
                own = read_json(self._path / name / layout.METADATA_FILE)
            except OSError as err:
                self._note(name, None, f"the group's metadata cannot be read ({err.strerror})")
            except StorageError as err:
                self._note(name, None, f"the group's metadata cannot be read ({err.problem})")
            else:
                kept = {key: own.get(key) for key in _GROUP} if isinstance(own, dict) else own
                if kept != _GROUP:
                    self._note(name, None, "the group's metadata are not those of a group")

    def check_array(self, name: str) -> None:
        metadata = self._arrays[name]
        try:
            own = read_json(self._path / name / layout.METADATA_FILE)
        except OSError as err:
            self._note(name, None, f"its own metadata cannot be read ({err})")
        except StorageError as err:
            self._note(name, None, f"its own metadata cannot be read ({err.problem})")
        else:
            if own != metadata:
                self._note(name, None, "its own metadata differ from the episode's")
        if layout.is_feature(name) and feature_kind(name) != "signal":
            self._check_frames(name, metadata)
        else:
            self._check_values(name)

    def check_ticks(self) -> None:
        """Whether the arrays agree: as many ticks each, and a frame for every valid tick and for no other."""
        time = self._arrays.get(layout.TIME)
        if time is None:
            self._note(layout.TIME, None, "the array is missing")
        for name, metadata in self._arrays.items():
            if time is not None and metadata["shape"][:1] != time["shape"]:
                self._note(name, None, f"expected {time['shape'][0]} ticks, found {metadata['shape'][0]}")
            if layout.is_feature(name):
                self._check_feature(name)

    def _check_feature(self, name: str) -> None:
        for room in (layout.VALID, layout.SOURCE):
            if f"{room}/{name}" not in self._arrays:
                self._note(f"{room}/{name}", None, "the array is missing")
        valid = self._values.get(f"{layout.VALID}/{name}")
        stored = self._stored.get(name)
        sequence = self._values.get(f"{layout.SEQUENCE}/{name}")
        if valid is None:
            return
        if stored is not None and len(stored) == len(valid):
            for tick in np.flatnonzero(valid & ~stored).tolist():
                self._note(name, tick, "the tick is valid, but its frame is missing")
            for tick in np.flatnonzero(stored & ~valid).tolist():
                self._note(name, tick, "a frame is stored for a tick that is not valid")
        if sequence is not None and len(sequence) == len(valid):
            for tick in np.flatnonzero(valid != (sequence >= 0)).tolist():
                self._note(f"{layout.SEQUENCE}/{name}", tick, "does not agree with the tick's validity")

    def _check_frames(self, name: str, metadata: Mapping[str, Any]) -> None:
        try:
            array = parse_frame_array(name, metadata, path=self._path)
        except StorageError as err:
            self._note(name, None, err.problem)
            return
        stored = np.zeros(array.num_ticks, np.bool_)
        is_known = True
        for number in range(array.num_shards):
            first = number * array.shard_ticks
            path = array.shard_path(self._path, number)
            written = self._written(name, number)
            if is_absent(path):
                if written is not None:
                    num_ticks = min(array.shard_ticks, array.num_ticks - first)
                    self._note(name, first, f"shard {number} is missing; {num_ticks} ticks are lost with it")
                    is_known = False
                continue  # none of its ticks has a frame; the mask says whether that is right
            try:
                shard = ShardReader(path, array.shard_ticks)
            except StorageError as err:
                num_ticks = min(array.shard_ticks, array.num_ticks - first)
                self._note(name, first, f"{err.problem}; {num_ticks} ticks are lost with it")
                is_known = False
                continue
            num_damages = len(self.damages)
            for tick in self._read_shard(array, shard, first):
                stored[tick] = True
            if len(self.damages) == num_damages and self._files is not None:
                self._compare(f"shard {number}", name, first, found=shard.checksum(), written=written)
        if is_known:
            self._stored[name] = stored

    def _read_shard(self, array: FrameArray, shard: ShardReader, first: int) -> Iterator[int]:
        """Read and decode a shard's chunks; gives the ticks that have one, damaged or not."""
        problem_at: dict[tuple[int, int], str | None] = {}
        for chunk in range(len(shard)):
            if not shard.has_chunk(chunk):
                continue
            tick = first + chunk
            if tick >= array.num_ticks:
                self._note(array.name, tick, "a frame is stored behind the last tick")
                continue
            place = shard.place(chunk)
            if place not in problem_at:
                self.num_chunks += 1
                problem_at[place] = _problem_of_frame(array, shard, chunk)
            problem = problem_at[place]
            if problem is not None:
                self._note(array.name, tick, problem)
            yield tick

    def _check_values(self, name: str) -> None:
        try:
            own = self._path / name / layout.METADATA_FILE
            metadata = read_json(own)
            check_array(name, metadata, path=own)
            check_chunks(name, metadata, path=own)
            node = zarr.open_array(str(self._path / name), mode="r", zarr_format=3)
            num_ticks, rows = node.shape[0], node.chunks[0]
            folder = self._path / name / "c"
        except Exception as err:  # noqa: BLE001 - zarr's errors have no common class
            self._note(name, None, f"cannot be opened ({err})")
            return
        parts: list[NDArray[Any]] = []
        for number, first in enumerate(range(0, num_ticks, rows)):
            chunk_path = folder.joinpath(str(number), *("0" for _ in node.shape[1:]))
            # zarr would wait for a pipe, and of what is missing read fill values and say nothing.
            try:
                end = _last_bytes(chunk_path)
            except OSError as err:
                why = "is missing" if isinstance(err, FileNotFoundError) else f"cannot be read ({err.strerror})"
                self._note(name, first, f"chunk {number} {why}")
                continue
            try:
                parts.append(np.asarray(node[first : first + rows]))
                self.num_chunks += 1
            except Exception as err:  # noqa: BLE001 - as above, and those of its codecs
                self._note(name, first, f"chunk {number} cannot be read ({err})")
                continue
            if self._files is not None:
                written = self._written(name, number)
                self._compare(f"chunk {number}", name, first, found=stored_checksum(end), written=written)
        if sum(len(part) for part in parts) == num_ticks:
            self._values[name] = np.concatenate(parts) if parts else np.empty(node.shape, node.dtype)

    def _written(self, name: str, number: int) -> str | None:
        """The checksum of an array's file when it was written; None where there was no such file, or where it is not known."""
        files = [] if self._files is None else self._files.get(name, [])
        return files[number] if number < len(files) else None

    def _compare(self, what: str, name: str, first: int, *, found: str, written: str | None) -> None:
        """Whether a file that is whole is the one that was written to this place."""
        if written is None:
            self._note(name, first, f"{what} was not there when the episode was written")
        elif found != written:
            problem = f"{what} is whole, but not the one that was written here (checksum {found}, not {written})"
            self._note(name, first, problem)

    def _note(self, array: str, tick: int | None, problem: str) -> None:
        self.damages.append(Damage(array, tick, problem))


def _last_bytes(path: Path) -> bytes:
    """The end of a file, where its checksum stands."""
    descriptor = open_regular(path)
    try:
        return os.pread(descriptor, CRC_BYTES, max(0, os.fstat(descriptor).st_size - CRC_BYTES))
    finally:
        os.close(descriptor)


def _problem_of_frame(array: FrameArray, shard: ShardReader, chunk: int) -> str | None:
    try:
        data = shard.chunk(chunk)
        if data is not None:
            if array.coding == "jpeg" and whole_jpeg(data) is not data:
                return "a JPEG without its end marker, which other readers refuse"
            array.decode(data)
    except BagmillError as err:
        return err.problem
    return None
