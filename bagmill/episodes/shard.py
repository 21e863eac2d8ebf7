"""One shard: encoded chunks one behind the other, then an index that says where each lies.

Chunks end with their own CRC-32C, as the array's inner codec `crc32c` demands. They lie in the order in which they arrived,
and two of them may be the same bytes: the format asks for neither order nor disjointness. The index: `shard_index`.

Source: Zarr v3, `sharding_indexed` codec 1.0, "Binary shard format", index at the end; `crc32c` codec 1.0.
"""

from __future__ import annotations

import os
import sys
from array import array
from collections.abc import Sequence
from concurrent.futures import Future, wait
from functools import partial
from pathlib import Path
from typing import Final
from weakref import finalize

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes.shard_index import (
    ABSENT,
    CRC_BYTES,
    breaks_off,
    chunk_damaged,
    crc32c,
    index_bytes,
    is_intact,
    parse_index,
    shard_checksum,
    unreadable,
)
from bagmill.episodes.write_behind import WriteBehind
from bagmill.errors import StorageError
from bagmill.regular_files import open_regular

_MAX_PENDING_BYTES: Final = 1 << 21
_MAX_HELD_BYTES: Final = 1 << 23
"""Of memory that pending views keep alive: a small picture may be a view into a large chunk."""
_MAX_PENDING_CHUNKS: Final = 256
"""Of one call: Linux takes 1,024 pieces, and every chunk has a checksum."""


class ShardWriter:
    """Appends encoded chunks to one shard's file; memory is the index and two mebibytes of chunks on their way.

    The file is created by the first chunk, so that a shard without one leaves none, as Zarr has it.

    Args:
        path: The file; nothing may be there.
        num_chunks: Chunks in the shard's index.
        behind: Who adds up the checksums and writes; None: the caller's thread.

    Attributes:
        checksum: By `finish`, as `shard_checksum` says; None as long as there is no file.
    """

    def __init__(self, path: Path, num_chunks: int, *, behind: WriteBehind | None = None) -> None:
        self.path = path
        self.checksum: str | None = None
        self._behind = behind
        self._index = array("Q", [ABSENT]) * (2 * num_chunks)
        """Offset and length by turns."""
        self._size_bytes = 0
        """With what is pending."""
        self._descriptor: int | None = None
        self._is_created = False
        self._pending: list[bytes | memoryview] = []
        """Chunks, kept as they came: the kernel gathers them, so that nothing is copied together first."""
        self._pending_start = 0
        """Where they go in the file."""
        self._held_bytes = 0
        self._held: object = None
        self._under_way: list[Future[bytes]] = []
        self._crcs = bytearray()
        """Checksums of what is written, in the order of the file."""

    def append(self, chunk: int, data: bytes | memoryview) -> None:
        """Write a chunk's encoded bytes and their checksum.

        Args:
            chunk: Its position in the index.
            data: A view that can be written to is copied; one that cannot is held until it is written, a few
                mebibytes later, and so long its memory must stay as it is.

        Raises:
            StorageError: The chunk is there already, or the disk does not take it. What is written by threads may say so
                later, when the shard is paused or finished.
        """
        self._claim(chunk)
        if self._descriptor is None:
            self._open()
        if isinstance(data, memoryview):
            if not data.readonly:
                data = bytes(data)
            elif data.obj is not self._held:
                self._held = data.obj
                self._held_bytes += memoryview(data.obj).nbytes
        self._pending.append(data)
        num_bytes = len(data) + CRC_BYTES
        self._index[2 * chunk] = self._size_bytes
        self._index[2 * chunk + 1] = num_bytes
        self._size_bytes += num_bytes
        if (
            self._size_bytes - self._pending_start >= _MAX_PENDING_BYTES
            or self._held_bytes >= _MAX_HELD_BYTES
            or len(self._pending) >= _MAX_PENDING_CHUNKS
        ):
            self._flush()

    def alias(self, chunk: int, existing_chunk: int) -> None:
        """Let a chunk be the same bytes as one already written.

        Raises:
            StorageError: The chunk is there already, or the other is not.
        """
        self._claim(chunk)
        if self._index[2 * existing_chunk] == ABSENT:
            raise StorageError(f"chunk {existing_chunk} has not been written", path=self.path)
        self._index[2 * chunk : 2 * chunk + 2] = self._index[2 * existing_chunk : 2 * existing_chunk + 2]

    def pause(self) -> None:
        """Give the file handle back until the next chunk, once everything so far is written.

        Raises:
            StorageError: The disk does not take it.
        """
        if self._descriptor is None:
            return
        try:
            self._flush()
        finally:
            under_way, self._under_way = self._under_way, []
            wait(under_way)  # whatever failed: another file could be given the descriptor that they write to
            descriptor, self._descriptor = self._descriptor, None
            try:
                os.close(descriptor)
                for write in under_way:
                    self._crcs += write.result()
            except OSError as err:
                raise self._not_written(err) from err

    def finish(self) -> None:
        """Write the index and close the file.

        Raises:
            StorageError: The disk does not take it.
        """
        if self._size_bytes:
            if self._descriptor is None:
                self._open()
            if sys.byteorder == "big":
                self._index.byteswap()
            index = self._index.tobytes()
            self._pending.append(index)
            self._size_bytes += len(index) + CRC_BYTES
            self.pause()
            self.checksum = shard_checksum(index, bytes(self._crcs[:-CRC_BYTES]))  # the last is the index's own

    def _claim(self, chunk: int) -> None:
        if self._index[2 * chunk] != ABSENT:
            raise StorageError(f"chunk {chunk} was written before", path=self.path)

    def _open(self) -> None:
        flags = os.O_WRONLY | os.O_CLOEXEC
        try:
            if not self._is_created:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                flags |= os.O_CREAT | os.O_EXCL
            self._descriptor = os.open(self.path, flags, 0o666)
        except OSError as err:
            raise self._not_written(err) from err
        self._is_created = True

    def _flush(self) -> None:
        if not self._pending:
            return
        assert self._descriptor is not None, "pending only while it is open"
        write = partial(_write, self._descriptor, self._pending, self._pending_start)
        self._pending, self._pending_start, self._held, self._held_bytes = [], self._size_bytes, None, 0
        if self._behind is not None:
            self._under_way.append(self._behind.submit(write))
            return
        try:
            self._crcs += write()
        except OSError as err:
            raise self._not_written(err) from err

    def _not_written(self, err: OSError) -> StorageError:
        return StorageError(f"cannot be written ({err.strerror})", path=self.path)


def _write(descriptor: int, chunks: Sequence[bytes | memoryview], start: int) -> bytes:
    """Write chunks, each with its checksum behind it, from a place in the file on; gives the checksums."""
    crcs = [crc32c(chunk) for chunk in chunks]
    parts: list[bytes | memoryview] = [part for pair in zip(chunks, crcs, strict=True) for part in pair]
    while parts:
        num_written = os.pwritev(descriptor, parts, start)
        start += num_written
        parts = unwritten(parts, num_written)
    return b"".join(crcs)


def unwritten(parts: list[bytes | memoryview], num_written: int) -> list[bytes | memoryview]:
    """What is left of some parts once so many of their bytes are written: nothing, unless the disk has just become full."""
    for n, part in enumerate(parts):
        if num_written < len(part):
            return [part[num_written:], *parts[n + 1 :]]
        num_written -= len(part)
    return []


class ShardReader:
    """One shard's chunks, read as they are asked for; safe to use from several threads.

    They are read, not mapped: where a file that is mapped becomes shorter, the process that looks at it is killed.

    Args:
        path: The file.
        num_chunks: Chunks in the shard's index.

    Raises:
        StorageError: The file cannot be read, or its index is damaged.
    """

    def __init__(self, path: Path, num_chunks: int) -> None:
        self.path = path
        try:
            self._descriptor = open_regular(path)
            finalize(self, os.close, self._descriptor)
            size_bytes = os.fstat(self._descriptor).st_size
            end = size_bytes - index_bytes(num_chunks)
            if end < 0:
                raise breaks_off(path, num_chunks=num_chunks, size_bytes=size_bytes)
            index = os.pread(self._descriptor, size_bytes - end, end)
        except OSError as err:
            raise unreadable(path, err) from err
        if len(index) < size_bytes - end:
            raise breaks_off(path, num_chunks=num_chunks, size_bytes=end + len(index))
        entries = parse_index(index, end=end, path=path)
        self.is_present: NDArray[np.bool_] = entries[:, 0] != ABSENT
        """By chunk: whether the shard has bytes for it."""
        # Python integers: looking one up costs a tenth of taking it from an array.
        self._entries: list[list[int]] = entries.tolist()

    def __len__(self) -> int:
        return len(self._entries)

    def has_chunk(self, chunk: int) -> bool:
        """Whether the shard has bytes for a chunk."""
        return self._entries[chunk][0] != ABSENT

    def place(self, chunk: int) -> tuple[int, int]:
        """Offset and length of a chunk's bytes with their checksum; equal for chunks that share them."""
        offset, num_bytes = self._entries[chunk]
        return offset, num_bytes

    def checksum(self) -> str:
        """What tells the shard from any other, as `shard_checksum` says; nothing is compared with it here.

        Raises:
            StorageError: The file can no longer be read.
        """
        ends = sorted({offset + num_bytes for offset, num_bytes in self._entries if offset != ABSENT})
        try:
            crcs = b"".join(os.pread(self._descriptor, CRC_BYTES, end - CRC_BYTES) for end in ends)
        except OSError as err:
            raise unreadable(self.path, err) from err
        return shard_checksum(np.array(self._entries, "<u8").tobytes(), crcs)

    def chunk(self, chunk: int, *, is_verified: bool = True) -> memoryview | None:
        """A chunk's encoded bytes without their checksum; None where there is none.

        Args:
            chunk: Its position in the index.
            is_verified: Compare the bytes with their checksum first.

        Raises:
            StorageError: They do not match it, or can no longer be read.
        """
        offset, num_bytes = self._entries[chunk]
        if offset == ABSENT:
            return None
        try:
            stored = os.pread(self._descriptor, num_bytes, offset)
        except OSError as err:
            raise unreadable(self.path, err) from err
        if len(stored) < num_bytes or (is_verified and not is_intact(stored)):
            raise chunk_damaged(self.path, chunk)
        return memoryview(stored)[:-CRC_BYTES]
