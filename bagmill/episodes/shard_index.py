"""A shard's index and its checksums: where each chunk lies, and whether its bytes are those that were written.

The index is a pair (offset, length) of little-endian uint64 for every chunk, both 2⁶⁴−1 where there is none, and ends with
its CRC-32C; every chunk's bytes end with theirs.

Source: Zarr v3, `sharding_indexed` codec 1.0, "Binary shard format", index at the end; `crc32c` codec 1.0.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from bagmill.errors import StorageError

CRC_BYTES: Final = 4
ABSENT: Final = 2**64 - 1
"""Offset and length of a chunk that is not there."""
_ENTRY_BYTES: Final = 16
_INTACT: Final = google_crc32c.value(bytes(CRC_BYTES))
"""CRC-32C of any bytes with their own CRC-32C behind them; of none it is 0."""
_REMEDY: Final = "Verify the episode, delete it and make it again from its recording"


def crc32c(data: bytes | memoryview) -> bytes:
    """CRC-32C as the `crc32c` codec appends it: four bytes, little endian."""
    # The C extension refuses memoryviews, but takes an array over the same memory.
    whole = data if isinstance(data, bytes) else np.frombuffer(data, np.uint8)
    return int(google_crc32c.value(whole)).to_bytes(CRC_BYTES, "little")


def shard_checksum(index: bytes, chunk_crcs: bytes) -> str:
    """What tells a shard from any other, whole or not: eight hexadecimal digits.

    Made of where its chunks lie and of their checksums: of the file's own bytes a CRC-32C would say nothing but their number,
    because whatever bytes end with their CRC-32C leave the same remainder.

    Args:
        index: As it is stored, without its checksum.
        chunk_crcs: The checksums as they stand behind the chunks, in the order of the file.
    """
    return f"{google_crc32c.value(index + chunk_crcs):08x}"


def is_intact(stored: bytes | memoryview) -> bool:
    """Whether bytes that end with their CRC-32C, as a chunk is stored, are those that were written."""
    whole = stored if isinstance(stored, bytes) else np.frombuffer(stored, np.uint8)
    return bool(google_crc32c.value(whole) == _INTACT)


def parse_index(data: bytes, *, end: int, path: Path | str) -> NDArray[np.uint64]:
    """A shard's index.

    Args:
        data: The index with its checksum behind it.
        end: Where the chunks end in the file and the index begins.
        path: Of the file, for errors.

    Returns:
        (chunks, 2): offset and length with the checksum, both 2⁶⁴−1 for a chunk that is absent.

    Raises:
        StorageError: The index is damaged.
    """
    if not is_intact(data):
        raise StorageError("the shard's index does not match its checksum", path=path, remedy=_REMEDY)
    entries = np.frombuffer(data[:-CRC_BYTES], "<u8").reshape(-1, 2)
    offset, num_bytes = entries.T
    is_absent = (offset == ABSENT) & (num_bytes == ABSENT)
    # Compared without adding: the sum of two uint64 could wrap.
    room = end - np.minimum(offset, end)
    is_inside = (offset <= end) & (num_bytes >= CRC_BYTES) & (num_bytes <= room)
    for chunk in np.flatnonzero(~(is_absent | is_inside)).tolist():
        raise StorageError(
            f"the shard's index places chunk {chunk} at {offset[chunk]} with {num_bytes[chunk]} bytes, "
            f"outside its {end} bytes of chunks",
            path=path,
            remedy=_REMEDY,
        )
    return entries


def index_bytes(num_chunks: int) -> int:
    """Bytes of a shard's index with its checksum."""
    return num_chunks * _ENTRY_BYTES + CRC_BYTES


def breaks_off(path: Path | str, *, num_chunks: int, size_bytes: int) -> StorageError:
    """The error for a file that is too short for its index."""
    return StorageError(
        f"a shard that breaks off: expected an index of {index_bytes(num_chunks)} bytes at its end, "
        f"found {size_bytes} bytes",
        path=path,
        remedy=_REMEDY,
    )


def chunk_damaged(path: Path | str, chunk: int) -> StorageError:
    """The error for a chunk whose bytes are not those that were written."""
    return StorageError(f"chunk {chunk} of the shard does not match its checksum", path=path, remedy=_REMEDY)


def unreadable(path: Path | str, err: OSError) -> StorageError:
    """The error for a file that the disk does not give."""
    return StorageError(f"cannot be read ({err.strerror})", path=path, remedy=_REMEDY)
