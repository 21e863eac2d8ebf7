"""One shard: encoded chunks one behind the other, then an index that says where each lies.

Chunks end with their own CRC-32C, as the array's inner codec `crc32c` demands; the index is a pair (offset, length) of
little-endian uint64 for every chunk, both 2⁶⁴−1 where there is none, and ends with its CRC-32C. Chunks lie in the order
in which they arrived, and two of them may be the same bytes: the format asks for neither order nor disjointness.

Source: Zarr v3, `sharding_indexed` codec 1.0, "Binary shard format", index at the end; `crc32c` codec 1.0.
"""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import BinaryIO, Final

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from bagmill.errors import StorageError

CRC_BYTES: Final = 4
_ABSENT: Final = 2**64 - 1
_ENTRY_BYTES: Final = 16
_REMEDY: Final = "Verify the episode, delete it and make it again from its recording"


def crc32c(data: bytes | memoryview) -> bytes:
    """CRC-32C as the `crc32c` codec appends it: four bytes, little endian."""
    # The C extension refuses memoryviews, but takes an array over the same memory.
    return int(google_crc32c.value(np.frombuffer(data, np.uint8))).to_bytes(CRC_BYTES, "little")


class ShardWriter:
    """Appends encoded chunks to one shard's file; memory is the index alone.

    The file is created by the first chunk, so that a shard without one leaves none, as Zarr has it.

    Args:
        path: The file; nothing may be there.
        num_chunks: Chunks in the shard's index.
    """

    def __init__(self, path: Path, num_chunks: int) -> None:
        self.path = path
        self._index: NDArray[np.uint64] = np.full((num_chunks, 2), _ABSENT, "<u8")
        self._size_bytes = 0
        self._file: BinaryIO | None = None

    def append(self, chunk: int, data: bytes | memoryview) -> None:
        """Write a chunk's encoded bytes and their checksum.

        Raises:
            StorageError: The chunk is there already, or the disk does not take it.
        """
        self._claim(chunk)
        try:
            file = self._open()
            file.write(data)
            file.write(crc32c(data))
        except OSError as err:
            raise StorageError(f"cannot be written ({err.strerror})", path=self.path) from err
        self._index[chunk] = self._size_bytes, len(data) + CRC_BYTES
        self._size_bytes += len(data) + CRC_BYTES

    def alias(self, chunk: int, existing_chunk: int) -> None:
        """Let a chunk be the same bytes as one already written.

        Raises:
            StorageError: The chunk is there already, or the other is not.
        """
        self._claim(chunk)
        if self._index[existing_chunk, 0] == _ABSENT:
            raise StorageError(f"chunk {existing_chunk} has not been written", path=self.path)
        self._index[chunk] = self._index[existing_chunk]

    def pause(self) -> None:
        """Give the file handle back until the next chunk.

        Raises:
            StorageError: The disk does not take what was buffered.
        """
        if self._file is not None:
            file, self._file = self._file, None
            try:
                file.close()
            except OSError as err:
                raise StorageError(f"cannot be written ({err.strerror})", path=self.path) from err

    def finish(self) -> None:
        """Write the index and close the file.

        Raises:
            StorageError: The disk does not take it.
        """
        if self._size_bytes:
            index = self._index.tobytes()
            try:
                self._open().write(index + crc32c(index))
            except OSError as err:
                raise StorageError(f"cannot be written ({err.strerror})", path=self.path) from err
        self.pause()

    def _claim(self, chunk: int) -> None:
        if self._index[chunk, 0] != _ABSENT:
            raise StorageError(f"chunk {chunk} was written before", path=self.path)

    def _open(self) -> BinaryIO:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("ab" if self._size_bytes else "xb", buffering=1 << 18)
        return self._file


class ShardReader:
    """One shard's chunks, mapped into memory; safe to use from several threads.

    Args:
        path: The file.
        num_chunks: Chunks in the shard's index.

    Raises:
        StorageError: The file cannot be read, or its index is damaged.
    """

    def __init__(self, path: Path, num_chunks: int) -> None:
        self.path = path
        index_bytes = num_chunks * _ENTRY_BYTES
        try:
            with path.open("rb") as file:
                size_bytes = file.seek(0, 2)
                # An empty file cannot be mapped.
                self._data = memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)) if size_bytes else b""
        except OSError as err:
            raise StorageError(f"cannot be read ({err.strerror})", path=path, remedy=_REMEDY) from err
        end = size_bytes - index_bytes - CRC_BYTES
        if end < 0:
            raise StorageError(
                f"a shard that breaks off: expected an index of {index_bytes + CRC_BYTES} bytes at its end, "
                f"found {size_bytes} bytes",
                path=path,
                remedy=_REMEDY,
            )
        index = bytes(self._data[end : end + index_bytes])
        if crc32c(index) != bytes(self._data[end + index_bytes :]):
            raise StorageError("the shard's index does not match its checksum", path=path, remedy=_REMEDY)
        entries = np.frombuffer(index, "<u8").reshape(num_chunks, 2)
        self._check_bounds(entries, end)
        self.is_present: NDArray[np.bool_] = entries[:, 0] != _ABSENT
        """By chunk: whether the shard has bytes for it."""
        # Python integers: looking one up costs a tenth of taking it from an array.
        self._entries: list[list[int]] = entries.tolist()

    def __len__(self) -> int:
        return len(self._entries)

    def has_chunk(self, chunk: int) -> bool:
        """Whether the shard has bytes for a chunk."""
        return self._entries[chunk][0] != _ABSENT

    def place(self, chunk: int) -> tuple[int, int]:
        """Offset and length of a chunk's bytes with their checksum; equal for chunks that share them."""
        offset, num_bytes = self._entries[chunk]
        return offset, num_bytes

    def chunk(self, chunk: int, *, is_verified: bool = True) -> memoryview | None:
        """A chunk's encoded bytes without their checksum; None where there is none.

        Args:
            chunk: Its position in the index.
            is_verified: Compare the bytes with their checksum first.

        Raises:
            StorageError: They do not match it.
        """
        offset, num_bytes = self._entries[chunk]
        if offset == _ABSENT:
            return None
        end = offset + num_bytes - CRC_BYTES
        data = memoryview(self._data)[offset:end]
        if is_verified and crc32c(data) != bytes(self._data[end : end + CRC_BYTES]):
            raise StorageError(
                f"chunk {chunk} of the shard does not match its checksum", path=self.path, remedy=_REMEDY
            )
        return data

    def _check_bounds(self, entries: NDArray[np.uint64], end: int) -> None:
        offset, num_bytes = entries.T
        is_absent = (offset == _ABSENT) & (num_bytes == _ABSENT)
        # Compared without adding: the sum of two uint64 could wrap.
        room = end - np.minimum(offset, end)
        is_inside = (offset <= end) & (num_bytes >= CRC_BYTES) & (num_bytes <= room)
        for chunk in np.flatnonzero(~(is_absent | is_inside)).tolist():
            raise StorageError(
                f"the shard's index places chunk {chunk} at {offset[chunk]} with {num_bytes[chunk]} bytes, "
                f"outside its {end} bytes of chunks",
                path=self.path,
                remedy=_REMEDY,
            )
