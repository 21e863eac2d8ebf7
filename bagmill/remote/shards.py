"""Chunks of a stored dataset's shards: from the shard on this machine, or, where there is no room for it, one by one."""

from __future__ import annotations

import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import layout
from bagmill.episodes.chunk_files import ChunkFiles
from bagmill.episodes.shard_index import (
    ABSENT,
    CRC_BYTES,
    breaks_off,
    chunk_damaged,
    index_bytes,
    is_intact,
    parse_index,
)
from bagmill.errors import StorageError
from bagmill.remote.background import Background
from bagmill.remote.mirror import PARALLEL, Mirror
from bagmill.stores import SIZE_BYTES

_Fetched = dict[int, memoryview | None]
"""Chunks by their position in the shard's index; None for one that is absent."""

_MAX_INDEXES: Final = 4096
_MAX_AHEAD: Final = 4096
"""Announcements that were not read yet."""
_STALE_AFTER: Final = 64
"""Calls of `announce`, after which what was not read by then will not be."""
_MARK_EVERY_S: Final = 600.0
_ATTEMPTS: Final = 3
"""To read a shard here that other processes push out as fast as it is fetched."""


@dataclass(frozen=True, slots=True)
class ShardChunks:
    """Some chunks of one shard."""

    path: str
    num_chunks: int
    """In the shard's index."""
    chunks: tuple[int, ...]
    """Positions in the index; none: the shard itself, or its index where there is no room for it."""


class MirroredShards:
    """As `ChunkFiles`, of a mirror; may be shared by threads, but not by processes.

    A shard is fetched as a whole as long as the bound has room for it, then read as a local one is. Samples are drawn
    from all shards alike, so that a shard that pushed out another would be pushed out itself before it is used again:
    where all room is taken by shards that this run uses, single chunks are fetched, and not kept.

    Args:
        mirror: Where the shards are, or will be.
    """

    def __init__(self, mirror: Mirror) -> None:
        self._mirror = mirror
        self._local = ChunkFiles()
        self._lock = threading.Lock()
        self._indexes: OrderedDict[str, NDArray[np.uint64]] = OrderedDict()
        self._absent: set[str] = set()
        self._marked: dict[str, float] = {}
        self._ahead: OrderedDict[tuple[str, int | None], tuple[int, Future[_Fetched | None]]] = OrderedDict()
        """By shard and chunk: in which call it was announced, and what comes of it."""
        self._calls = count()
        # Threads that wait for the store.
        self._background = Background(PARALLEL, name="bagmill-fetch")

    def announce(self, wanted: Iterable[ShardChunks]) -> None:
        """Fetch what will be read soon, without waiting for it. What goes wrong is told when it is read."""
        call = next(self._calls)
        with self._lock:
            while self._ahead and next(iter(self._ahead.values()))[0] < call - _STALE_AFTER:
                self._ahead.popitem(last=False)
            for each in wanted:
                new = [chunk for chunk in each.chunks or (None,) if self._is_to_announce(each.path, chunk)]
                if not new or len(self._ahead) >= _MAX_AHEAD or os.path.exists(each.path):  # noqa: PTH110
                    continue
                future = self._background.submit(partial(self._fetch, each))
                for chunk in new:
                    self._ahead[each.path, chunk] = call, future

    def read(self, path: str, num_chunks: int, wanted: Sequence[int]) -> list[memoryview | None] | None:
        """As `ChunkFiles.read`: None where the episode stands, but has no such shard.

        Raises:
            StorageError: The episode is not in the store, the store does not give the chunks, or they are damaged there.
        """
        with self._lock:
            ahead = {self._ahead.pop((path, chunk))[1] for chunk in wanted if (path, chunk) in self._ahead}
        fetched: dict[int, memoryview | None] = {}
        for future in ahead:
            # What went wrong before anybody waited for it may go well now.
            if not (future.done() and future.exception()):
                fetched |= future.result() or {}
        for _ in range(_ATTEMPTS):
            missing = tuple(chunk for chunk in wanted if chunk not in fetched)
            if not missing:
                return [fetched[chunk] for chunk in wanted]
            if path in self._absent:
                return None
            found = self._read_here(path, num_chunks, wanted)
            if found is not None:
                return found
            fetched |= self._fetch(ShardChunks(path, num_chunks, missing)) or {}
        fetched |= self._fetch_chunks(ShardChunks(path, num_chunks, tuple(wanted))) or {}
        return [fetched[chunk] for chunk in wanted] if path not in self._absent else None

    def _is_to_announce(self, path: str, chunk: int | None) -> bool:
        if path in self._absent:
            return False
        ahead = self._ahead.get((path, chunk))
        # That a shard was fetched is no news: it may have gone since.
        return ahead is None or (chunk is None and ahead[1].done())

    def _fetch(self, wanted: ShardChunks) -> _Fetched | None:
        """Fetch a shard to where it is read; or its chunks, which are given back, where there is no room for it."""
        match self._mirror.bring_shard(wanted.path):
            case "here":
                return None
            case "absent":
                self._note_absent(wanted.path)
                return None
            case "no room":
                return self._fetch_chunks(wanted)

    def _read_here(self, path: str, num_chunks: int, wanted: Sequence[int]) -> list[memoryview | None] | None:
        """Chunks of a shard that is on this machine; None: it is not."""
        try:
            found = self._local.read(path, num_chunks, wanted)
        except StorageError:
            # What was damaged on the way or on this disk is fetched once more.
            Path(path).unlink(missing_ok=True)
            if self._mirror.bring_shard(path) != "here":
                return None
            try:
                return self._local.read(path, num_chunks, wanted)
            except StorageError as err:
                raise self._mirror.of_store(err, path) from err
        if found is not None:
            self._mark(path)
        return found

    def _mark(self, path: str) -> None:
        """Say by the file's time that it is in use."""
        now = time.monotonic()
        if now - self._marked.get(path, -_MARK_EVERY_S) >= _MARK_EVERY_S:
            self._marked[path] = now
            try:
                os.utime(path)
            except OSError:
                # It has just gone, or is another user's: then it goes sooner than it should.
                return

    def _fetch_chunks(self, wanted: ShardChunks) -> _Fetched | None:
        """Chunks of a shard that is not here; None: there is no such shard."""
        path = wanted.path
        index = self._index(path, wanted.num_chunks)
        if index is None:
            self._note_absent(path)
            return None
        fetched: _Fetched = dict.fromkeys(wanted.chunks)
        places = {
            chunk: (offset, offset + size)
            for chunk, (offset, size) in zip(wanted.chunks, index[list(wanted.chunks)].tolist(), strict=True)
            if offset != ABSENT
        }
        if not places:
            return fetched
        for chunk, stored in zip(places, self._mirror.pieces(path, places.values()), strict=True):
            if not is_intact(stored):
                raise self._mirror.of_store(chunk_damaged(path, chunk), path)
            fetched[chunk] = memoryview(stored)[:-CRC_BYTES]
        return fetched

    def _index(self, path: str, num_chunks: int) -> NDArray[np.uint64] | None:
        """A shard's index, fetched by itself; None: there is no such shard."""
        with self._lock:
            index = self._indexes.get(path)
        if index is not None:
            return index
        tail_path, num_bytes = f"{path}.index", index_bytes(num_chunks)

        def parse() -> NDArray[np.uint64]:
            data = Path(tail_path).read_bytes()
            size_bytes = int.from_bytes(data[:SIZE_BYTES], "little")
            if len(data) != SIZE_BYTES + num_bytes:
                raise breaks_off(path, num_chunks=num_chunks, size_bytes=size_bytes)
            return parse_index(data[SIZE_BYTES:], end=size_bytes - num_bytes, path=path)

        if not self._mirror.bring_tail(path, tail_path, num_bytes):
            return None
        try:
            index = parse()
        except StorageError:
            Path(tail_path).unlink(missing_ok=True)
            self._mirror.bring_tail(path, tail_path, num_bytes)
            try:
                index = parse()
            except StorageError as err:
                raise self._mirror.of_store(err, path) from err
        with self._lock:
            while len(self._indexes) >= _MAX_INDEXES:
                self._indexes.popitem(last=False)
            self._indexes[path] = index
        return index

    def _note_absent(self, path: str) -> None:
        """A shard without a frame has no file: right where its episode stands.

        Raises:
            StorageError: The episode does not stand.
        """
        # episodes/<episode>/<version>.zarr/…
        root = self._mirror.root.joinpath(*Path(path).relative_to(self._mirror.root).parts[:3])
        if not self._mirror.bring([str(root / layout.METADATA_FILE)]):
            raise StorageError(
                f"there is no published episode at {self._mirror.address_of(root)}",
                remedy="Check the address; make the snapshot again if the episode's version was removed",
            )
        self._absent.add(path)
