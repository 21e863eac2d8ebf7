"""Frames of a batch: read, decoded to their size and put into the batch's array by several threads."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import layout
from bagmill.episodes.chunk_files import ChunkFiles
from bagmill.errors import CodecError, StorageError
from bagmill.training.fitting import FrameFit
from bagmill.training.frame_cache import FrameCache

_REMEDY = "Verify the episode; make the snapshot again if its version was removed, or the episode if it is damaged"


@dataclass(frozen=True, slots=True)
class Camera:
    """A camera's frames in all episodes: how they lie and what becomes of them."""

    feature: str
    num_axes: int
    """Of one frame: 3 for images, 2 for depth."""
    fits: Sequence[FrameFit]
    """By episode: its frames' size → the wanted one."""
    cache: FrameCache | None
    starts: NDArray[np.int64]
    """(E,) pictures of the episodes before each, by which the cache counts."""

    def shard_path(self, root: str, shard: int) -> str:
        """Where a shard is, below an episode's folder."""
        return f"{root}/{self.feature}/c/{shard}{'/0' * self.num_axes}"


@dataclass(frozen=True, slots=True)
class FramesWanted:
    """Some ticks of one camera in one episode."""

    camera: Camera
    episode: int
    ticks: list[int]
    out: list[NDArray[Any]]
    """Where each goes: C-contiguous pictures of the wanted size."""


class FrameReader:
    """Decodes frames; may be shared by threads, but not by processes.

    Args:
        roots: Folders of the episodes.
        num_ticks: (E,) of each.
        num_threads: That decode, the caller's counted.
    """

    def __init__(self, roots: Sequence[str], num_ticks: NDArray[np.int64], *, num_threads: int) -> None:
        self._roots = roots
        self._num_ticks = num_ticks
        self._files = ChunkFiles()
        self._num_threads = max(1, num_threads)
        # The caller decodes, too; threads start when they are first needed.
        self._pool = ThreadPoolExecutor(max(1, self._num_threads - 1), thread_name_prefix="bagmill-decode")

    def read(self, wanted: Sequence[FramesWanted]) -> None:
        """Decode frames to their places.

        Raises:
            StorageError: A frame is damaged, or its episode is not there.
        """
        if self._num_threads == 1 or len(wanted) < 2:
            for each in wanted:
                self._read_one(each)
            return
        # One list for all: who is done early takes the next. Taking from an iterator is one step under the GIL.
        rest = iter(wanted)
        others = [self._pool.submit(self._read_all, rest) for _ in range(min(self._num_threads, len(wanted)) - 1)]
        try:
            self._read_all(rest)
        finally:
            # Whatever went wrong here, nobody may write into the batch after this.
            for _ in rest:
                pass
            errors = [other.exception() for other in others]
        for error in errors:
            if error is not None:
                raise error

    def _read_all(self, wanted: Iterator[FramesWanted]) -> None:
        for each in wanted:
            self._read_one(each)

    def _read_one(self, wanted: FramesWanted) -> None:
        camera, episode = wanted.camera, wanted.episode
        by_shard: dict[int, list[int]] = {}
        shard_ticks = layout.shard_ticks(int(self._num_ticks[episode]))
        first_of: dict[int, int] = {}
        for place, tick in enumerate(wanted.ticks):
            if tick in first_of:
                continue
            first_of[tick] = place
            if not self._found_in_cache(camera, episode, tick, wanted.out[place]):
                by_shard.setdefault(tick // shard_ticks, []).append(place)
        for shard, places in by_shard.items():
            self._read_shard(wanted, shard, shard_ticks, places)
        for place, tick in enumerate(wanted.ticks):
            if (first := first_of[tick]) != place:
                wanted.out[place][...] = wanted.out[first]

    def _found_in_cache(self, camera: Camera, episode: int, tick: int, out: NDArray[Any]) -> bool:
        if camera.cache is None:
            return False
        kept = camera.cache.find(int(camera.starts[episode]) + tick)
        if kept is None:
            return False
        out[...] = kept
        return True

    def _read_shard(self, wanted: FramesWanted, shard: int, shard_ticks: int, places: Sequence[int]) -> None:
        camera, episode = wanted.camera, wanted.episode
        path = camera.shard_path(self._roots[episode], shard)
        chunks = self._files.read(path, shard_ticks, [wanted.ticks[place] - shard * shard_ticks for place in places])
        if chunks is None:
            # A shard without a frame has no file; an episode that was removed has none either.
            if not os.path.exists(f"{self._roots[episode]}/{layout.METADATA_FILE}"):  # noqa: PTH110 - a string, as all here
                raise StorageError("there is no published episode", path=self._roots[episode], remedy=_REMEDY)
            chunks = [None] * len(places)
        for place, data in zip(places, chunks, strict=True):
            out = wanted.out[place]
            if data is None:
                out[...] = 0
            else:
                self._decode(camera, episode, wanted.ticks[place], data, out)
            if camera.cache is not None:
                camera.cache.keep(int(camera.starts[episode]) + wanted.ticks[place], out)

    def _decode(self, camera: Camera, episode: int, tick: int, data: memoryview, out: NDArray[Any]) -> None:
        try:
            camera.fits[episode].decode(data, out)
        except CodecError as err:
            raise StorageError(
                f"the frame of {camera.feature} at tick {tick} cannot be decoded: {err.problem}",
                path=self._roots[episode],
                remedy=_REMEDY,
            ) from err
