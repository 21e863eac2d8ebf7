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
    starts: Sequence[int]
    """By episode: pictures of the episodes before it, by which the cache counts."""

    def shard_path(self, root: str, shard: int) -> str:
        """Where a shard is, below an episode's folder."""
        return f"{root}/{self.feature}/c/{shard}{'/0' * self.num_axes}"


@dataclass(slots=True)
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
        self._shard_ticks = [layout.shard_ticks(num) for num in num_ticks.tolist()]
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
        if len(wanted.ticks) == 1:
            if not self._found_in_cache(wanted, 0):
                self._read_shard(wanted, wanted.ticks[0] // self._shard_ticks[wanted.episode], (0,))
            return
        first_of: dict[int, int] = {}
        by_shard: dict[int, list[int]] = {}
        for place, tick in enumerate(wanted.ticks):
            if first_of.setdefault(tick, place) == place and not self._found_in_cache(wanted, place):
                by_shard.setdefault(tick // self._shard_ticks[wanted.episode], []).append(place)
        for shard, places in by_shard.items():
            self._read_shard(wanted, shard, places)
        # A tick that is repeated at an episode's end is decoded once.
        for place, tick in enumerate(wanted.ticks):
            if (first := first_of[tick]) != place:
                wanted.out[place][...] = wanted.out[first]

    def _found_in_cache(self, wanted: FramesWanted, place: int) -> bool:
        camera = wanted.camera
        if camera.cache is None:
            return False
        kept = camera.cache.find(camera.starts[wanted.episode] + wanted.ticks[place])
        if kept is None:
            return False
        wanted.out[place][...] = kept
        return True

    def _read_shard(self, wanted: FramesWanted, shard: int, places: Sequence[int]) -> None:
        camera, root = wanted.camera, self._roots[wanted.episode]
        shard_ticks = self._shard_ticks[wanted.episode]
        chunks = self._files.read(
            camera.shard_path(root, shard), shard_ticks, [wanted.ticks[place] % shard_ticks for place in places]
        )
        if chunks is None:
            # A shard without a frame has no file; an episode that was removed has none either.
            if not os.path.exists(f"{root}/{layout.METADATA_FILE}"):  # noqa: PTH110 - a string, as all here
                raise StorageError("there is no published episode", path=root, remedy=_REMEDY)
            chunks = [None] * len(places)
        for place, data in zip(places, chunks, strict=True):
            out = wanted.out[place]
            if data is None:
                out[...] = 0
            else:
                self._decode(wanted, place, data)
            if camera.cache is not None:
                camera.cache.keep(camera.starts[wanted.episode] + wanted.ticks[place], out)

    def _decode(self, wanted: FramesWanted, place: int, data: memoryview) -> None:
        try:
            wanted.camera.fits[wanted.episode].decode(data, wanted.out[place])
        except CodecError as err:
            raise StorageError(
                f"the frame of {wanted.camera.feature} at tick {wanted.ticks[place]} cannot be decoded: {err.problem}",
                path=self._roots[wanted.episode],
                remedy=_REMEDY,
            ) from err
