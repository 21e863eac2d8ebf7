"""Compressed chunks and messages back to their bytes, never more of them than were announced."""

from __future__ import annotations

import bz2
from collections.abc import Callable

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from bagmill.recordings.records import Buffer

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
_MAX_EXPANSION = {"lz4": 256, "zstd": 40_000}
"""Above what each format can reach: a larger size is a damaged field, and must not be allocated. bz2 has no such bound,
and no need of one: its output grows as it comes."""
_SLACK_BYTES = 1 << 20


Take = Callable[[int], memoryview]
"""Size in bytes → a writable view of it."""


def _fresh(size_bytes: int) -> memoryview:
    return memoryview(bytearray(size_bytes))


class DecompressionError(ValueError):
    """Bytes that do not decompress to what was announced; never leaves this package."""


def decompress(data: Buffer, *, compression: str, size_bytes: int, take: Take = _fresh) -> Buffer:
    """A chunk's content.

    Args:
        data: The compressed bytes.
        compression: `lz4` (frame format), `zstd` or `bz2`.
        size_bytes: The size the content must have.
        take: Where the content's memory comes from, for those that can fill what is there already.

    Raises:
        DecompressionError: The bytes are damaged, the size is another or cannot be.
    """
    if not data and not size_bytes:
        return b""
    limit = _MAX_EXPANSION.get(compression)
    if limit is not None and size_bytes > len(data) * limit + _SLACK_BYTES:
        raise DecompressionError(f"{len(data)} bytes of {compression} cannot hold the announced {size_bytes}")
    try:  # one byte more than announced is asked for, so that too long a content shows
        match compression:
            case "lz4":
                content: Buffer = lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=size_bytes + 1)
            case "bz2":
                content = bz2.BZ2Decompressor().decompress(data, size_bytes + 1)
            case _:
                content = _zstd(data, size_bytes, take)
    except MemoryError:
        raise  # of the whole process: these bytes are not to blame for it
    except Exception as err:  # lz4 raises RuntimeError, bz2 OSError and ValueError, zstandard its own
        raise DecompressionError(f"its {compression} data is damaged ({err})") from err
    if len(content) != size_bytes:
        raise DecompressionError(f"it holds {len(content)} bytes where {size_bytes} were announced")
    return content


def decompress_zstd_message(data: Buffer) -> bytes:
    """A message that was compressed by itself; its frame announces the size.

    Raises:
        DecompressionError: The bytes are not a whole zstd frame with its size.
    """
    try:
        size_bytes = zstandard.get_frame_parameters(data).content_size
    except zstandard.ZstdError as err:
        raise DecompressionError(f"not zstd data ({err})") from err
    if size_bytes == zstandard.CONTENTSIZE_UNKNOWN:
        raise DecompressionError("its zstd frame does not tell its size")
    return bytes(decompress(data, compression="zstd", size_bytes=size_bytes))


def _zstd(data: Buffer, size_bytes: int, take: Take) -> Buffer:
    decompressor = zstandard.ZstdDecompressor()
    if zstandard.get_frame_parameters(data).content_size == size_bytes:
        content = take(size_bytes)
        with decompressor.stream_reader(data) as stream:
            return content[: stream.readinto(content)].toreadonly()
    # No size in the frame, or several frames one behind the other: read as a stream, one byte more than announced.
    with decompressor.stream_reader(data, read_across_frames=True) as stream:
        return stream.read(size_bytes + 1)
