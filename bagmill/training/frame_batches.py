"""Frames of a batch: read, decoded to their size and put into the batch's array by several threads."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import layout
from bagmill.episodes.chunk_files import ChunkFiles
from bagmill.errors import CodecError, StorageError
from bagmill.remote import MirroredShards
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


@dataclass(frozen=True, slots=True)
class FramesWanted:
    """Frames of one camera, of any episodes."""

    camera: Camera
    episodes: NDArray[np.int64]
    """(F,)"""
    ticks: NDArray[np.int64]
    """(F,) in their episodes, also repeated."""
    out: Sequence[NDArray[Any]]
    """Where each goes: C-contiguous pictures of the wanted size."""
    is_valid: NDArray[np.bool_]
    """(F,) Whether the tick must have a frame; where it need not, and has none, it is zeros."""

    def must_have(self, episode: int, tick: int) -> bool:
        """Whether one of them must have a frame."""
        return bool(self.is_valid[(self.episodes == episode) & (self.ticks == tick)].any())


@dataclass(frozen=True, slots=True)
class _ShardWanted:
    """Frames that lie in one file, so that it is opened once for all of them."""

    wanted: FramesWanted
    """What it is a part of."""
    episode: int
    shard: int
    out: dict[int, NDArray[Any]]
    """Position in the shard → where the frame goes."""

    @property
    def camera(self) -> Camera:
        """Whose frames they are."""
        return self.wanted.camera


_Loaded = tuple[_ShardWanted, int, memoryview | None]
"""A frame to be decoded: the shard that it was read from, its position there, its bytes, which are None where it is absent."""


class FrameReader:
    """Decodes frames; may be shared by threads, but not by processes.

    Args:
        roots: Folders of the episodes.
        num_ticks: (E,) of each.
        num_threads: That decode, the caller's counted.
        files: Who reads shards; None: they are files of this machine.
    """

    def __init__(
        self,
        roots: Sequence[str],
        num_ticks: NDArray[np.int64],
        *,
        num_threads: int,
        files: MirroredShards | None = None,
    ) -> None:
        self._roots = roots
        self._shard_ticks = [layout.shard_ticks(num) for num in num_ticks.tolist()]
        self._all_shard_ticks = np.array(self._shard_ticks, np.int64)
        self._files = ChunkFiles() if files is None else files
        self._num_threads = max(1, num_threads)
        # The caller decodes, too; threads start when they are first needed.
        self._pool = ThreadPoolExecutor(max(1, self._num_threads - 1), thread_name_prefix="bagmill-decode")

    def read(self, wanted: Sequence[FramesWanted]) -> None:
        """Decode frames to their places.

        Raises:
            StorageError: A frame is damaged, or missing though its tick is valid, or its episode is not there.
        """
        shards: list[_ShardWanted] = []
        repeated: list[tuple[NDArray[Any], NDArray[Any]]] = []
        for each in wanted:
            shards += self._by_shard(each, repeated)
        num_threads = min(self._num_threads, sum(len(each.out) for each in shards))
        if num_threads <= 1:
            for shard in shards:
                for frame in self._load(shard):
                    self._decode(*frame)
        else:
            self._read_together(shards, num_threads)
        # What is wanted twice, as a tick that is repeated at an episode's end, is decoded once.
        for out, first in repeated:
            out[...] = first

    def _by_shard(
        self, wanted: FramesWanted, repeated: list[tuple[NDArray[Any], NDArray[Any]]]
    ) -> Iterable[_ShardWanted]:
        shards, chunks = np.divmod(wanted.ticks, self._all_shard_ticks[wanted.episodes])
        found: dict[tuple[int, int], _ShardWanted] = {}
        for episode, shard, chunk, out in zip(
            wanted.episodes.tolist(), shards.tolist(), chunks.tolist(), wanted.out, strict=True
        ):
            of_shard = found.get((episode, shard))
            if of_shard is None:
                of_shard = found[episode, shard] = _ShardWanted(wanted, episode, shard, {})
            first = of_shard.out.setdefault(chunk, out)
            if first is not out:
                repeated.append((out, first))
        return found.values()

    def _read_together(self, shards: list[_ShardWanted], num_threads: int) -> None:
        left = _Left(shards, num_ahead=num_threads)
        others = [self._pool.submit(self._work, left) for _ in range(num_threads - 1)]
        try:
            self._work(left)
        finally:
            # Whatever went wrong here, nobody may write into the batch after this.
            errors = [other.exception() for other in others]
        for error in errors:
            if error is not None:
                raise error

    def _work(self, left: _Left) -> None:
        try:
            while (task := left.take()) is not None:
                if isinstance(task, _ShardWanted):
                    left.add(self._load(task))
                else:
                    self._decode(*task)
        except BaseException:
            left.drop()
            raise

    def _load(self, wanted: _ShardWanted) -> list[_Loaded]:
        """Read a shard's frames, but for those that the cache has."""
        camera, root = wanted.camera, self._roots[wanted.episode]
        shard_ticks = self._shard_ticks[wanted.episode]
        rest = sorted(wanted.out)
        if camera.cache is not None:
            first = camera.starts[wanted.episode] + wanted.shard * shard_ticks
            rest = [chunk for chunk in rest if not camera.cache.copy(first + chunk, wanted.out[chunk])]
            if not rest:
                return []
        stored = self._files.read(camera.shard_path(root, wanted.shard), shard_ticks, rest)
        if stored is None:
            # A shard without a frame has no file; an episode that was removed has none either.
            if not os.path.exists(f"{root}/{layout.METADATA_FILE}"):  # noqa: PTH110 - a string, as all here
                raise StorageError("there is no published episode", path=root, remedy=_REMEDY)
            stored = [None] * len(rest)
        return [(wanted, chunk, data) for chunk, data in zip(rest, stored, strict=True)]

    def _decode(self, wanted: _ShardWanted, chunk: int, data: memoryview | None) -> None:
        camera, episode, out = wanted.camera, wanted.episode, wanted.out[chunk]
        tick = wanted.shard * self._shard_ticks[episode] + chunk
        if data is None:
            if wanted.wanted.must_have(episode, tick):
                raise StorageError(
                    f"the frame of {camera.feature} at tick {tick} is missing, though the tick is valid",
                    path=camera.shard_path(self._roots[episode], wanted.shard),
                    remedy=_REMEDY,
                )
            out[...] = 0
        else:
            try:
                camera.fits[episode].decode(data, out)
            except CodecError as err:
                raise StorageError(
                    f"the frame of {camera.feature} at tick {tick} cannot be decoded: {err.problem}",
                    path=self._roots[episode],
                    remedy=_REMEDY,
                ) from err
        if camera.cache is not None:
            camera.cache.keep(camera.starts[episode] + tick, out)


class _Left:
    """What is left to do of a batch, for the threads that do it.

    Files come in order, frames in that of their files; a file is read before the frames of those before it run out, so that
    nobody waits for one.

    Args:
        shards: To be read.
        num_ahead: Fewer frames than these lie ready: another file is due.
    """

    def __init__(self, shards: Iterable[_ShardWanted], *, num_ahead: int) -> None:
        self._shards = deque(shards)
        self._loaded: deque[_Loaded] = deque()
        self._num_ahead = num_ahead
        self._num_loading = 0
        self._changed = threading.Condition(threading.Lock())

    def take(self) -> _ShardWanted | _Loaded | None:
        """A frame to decode, or a shard to read and to `add`; None: nothing is left, or it was dropped."""
        if not self._shards or len(self._loaded) > self._num_ahead:
            # Mostly so, and one step under the GIL. It may still be another that takes the last one.
            with suppress(IndexError):
                return self._loaded.popleft()
        with self._changed:
            # What another thread is about to add may be more than it can decode by itself.
            while not self._shards and not self._loaded and self._num_loading > 0:
                self._changed.wait()
            if self._shards and len(self._loaded) < self._num_ahead:
                self._num_loading += 1
                return self._shards.popleft()
            return self._loaded.popleft() if self._loaded else None

    def add(self, frames: Sequence[_Loaded]) -> None:
        """Frames of a shard that was taken."""
        with self._changed:
            self._num_loading -= 1
            self._loaded.extend(frames)
            self._changed.notify_all()

    def drop(self) -> None:
        """Nothing is to be done any more."""
        with self._changed:
            self._shards.clear()
            self._loaded.clear()
            self._num_loading = 0
            self._changed.notify_all()
