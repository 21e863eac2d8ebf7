"""Chunks of many shards, read without keeping a file open.

An open episode keeps the shards open that it reads, a file handle each. A training run touches the shards of thousands
of episodes in random order: here only their indexes are kept, two kilobytes each. Opening and closing a shard takes some eight
microseconds, shared by the chunks that are read of it at once; a chunk of a few kilobytes takes two, with its checksum.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Final

import numpy as np

from bagmill.episodes.shard_index import (
    ABSENT,
    CRC_BYTES,
    breaks_off,
    chunk_damaged,
    index_bytes,
    is_intact,
    parse_index,
    unreadable,
)

_MAX_GAP_BYTES: Final = 1 << 16
"""Between chunks that are wanted: reading so much more is cheaper than another call."""


class ChunkFiles:
    """Reads chunks from shards; may be shared by threads, but not by processes.

    Args:
        max_indexes: Of shards, kept in memory: 2 KiB each at 128 chunks.
    """

    def __init__(self, *, max_indexes: int = 4096) -> None:
        self._max_indexes = max_indexes
        self._indexes: dict[str, memoryview] = {}
        """By path: offset and length of every chunk by turns, in the machine's byte order, the oldest first."""
        self._lock = threading.Lock()

    def read(self, path: str, num_chunks: int, wanted: Sequence[int]) -> list[memoryview | None] | None:
        """Several chunks of one shard.

        Args:
            path: Of the shard's file.
            num_chunks: In the shard's index.
            wanted: Positions in the index, in any order, also repeated.

        Returns:
            Encoded bytes, compared with their checksum, without it; None for a chunk that is absent. None for all of
            them where there is no file.

        Raises:
            StorageError: The file cannot be read, or does not match its checksums.
        """
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a pipe is not waited for
        except FileNotFoundError:
            return None
        except OSError as err:
            raise unreadable(path, err) from err
        try:
            index = self._indexes.get(path)
            if index is None:
                index = self._read_index(descriptor, path, num_chunks)
            return _read_chunks(descriptor, path, index, wanted)
        except OSError as err:
            raise unreadable(path, err) from err
        finally:
            os.close(descriptor)

    def _read_index(self, descriptor: int, path: str, num_chunks: int) -> memoryview:
        size_bytes = os.fstat(descriptor).st_size
        end = size_bytes - index_bytes(num_chunks)
        if end < 0:
            raise breaks_off(path, num_chunks=num_chunks, size_bytes=size_bytes)
        entries = parse_index(os.pread(descriptor, size_bytes - end, end), end=end, path=path)
        # A view of native numbers gives Python integers several times faster than an array does.
        index = memoryview(np.ascontiguousarray(entries, np.uint64).reshape(-1).data)
        with self._lock:
            while len(self._indexes) >= self._max_indexes:
                del self._indexes[next(iter(self._indexes))]
            self._indexes[path] = index
        return index


def _read_chunks(descriptor: int, path: str, index: memoryview, wanted: Sequence[int]) -> list[memoryview | None]:
    places = [(index[2 * chunk], index[2 * chunk + 1]) for chunk in wanted]
    present = [place for place in places if place[0] != ABSENT]
    if len(present) > 1:
        start, end = min(present)[0], sum(max(present))
        # Ticks that follow each other lie behind each other: a window is one piece of the file.
        if end - start <= sum(size for _, size in present) + _MAX_GAP_BYTES:
            piece = memoryview(os.pread(descriptor, end - start, start))
            return [
                None if offset == ABSENT else _checked(piece[offset - start :][:size], size, path, chunk)
                for chunk, (offset, size) in zip(wanted, places, strict=True)
            ]
    return [
        None if offset == ABSENT else _checked(os.pread(descriptor, size, offset), size, path, chunk)
        for chunk, (offset, size) in zip(wanted, places, strict=True)
    ]


def _checked(stored: bytes | memoryview, size: int, path: str, chunk: int) -> memoryview:
    """A chunk without its checksum, which its bytes match."""
    if len(stored) < size or not is_intact(stored):
        raise chunk_damaged(path, chunk)
    return memoryview(stored)[:-CRC_BYTES]
