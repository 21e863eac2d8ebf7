"""Compressed chunks and messages back to their bytes, never more of them than were announced."""

from __future__ import annotations

import bz2
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from bagmill.limits import limits
from bagmill.recordings.records import Buffer

ZSTD_MAGIC = b"\x28\xb5\x2f\xfd"
ZSTD_HEADER_BYTES: Final = 18
"""Of the longest header that a frame has."""
_MAX_EXPANSION = {"lz4": 256, "zstd": 40_000}
"""Above what each format can reach: a larger size is a damaged field, and must not be allocated. bz2 has no such bound,
and no need of one: its output grows as it comes."""
_SLACK_BYTES = 1 << 20
_MEASURED_BYTES: Final = 1 << 25
"""Unpacked at a time where bytes are only counted."""
_WINDOW_BYTES: Final = 1 << 27
"""The largest window of a zstd frame that is followed: what `zstd --ultra -22` and `--long` write."""


Take = Callable[[int], memoryview]
"""Size in bytes → a writable view of it."""


def _fresh(size_bytes: int) -> memoryview:
    return memoryview(bytearray(size_bytes))


class DecompressionError(ValueError):
    """Bytes that do not decompress to what was announced; never leaves this package.

    Args:
        problem: As a clause.
        num_bytes: What may have been unpacked before it showed.
    """

    def __init__(self, problem: str, num_bytes: int = 0) -> None:
        super().__init__(problem)
        self.num_bytes = num_bytes


def decompress(data: Buffer, *, compression: str, size_bytes: int, take: Take = _fresh) -> Buffer:
    """A chunk's content.

    Args:
        data: The compressed bytes.
        compression: `lz4` (frame format), `zstd` or `bz2`.
        size_bytes: The size the content must have.
        take: Where the content's memory comes from, for those that can fill what is there already.

    Raises:
        DecompressionError: The bytes are damaged, the size is another or cannot be.
        LimitError: They really are that many, and that is more than is taken.
    """
    if not data and not size_bytes:
        return b""
    limit = _MAX_EXPANSION.get(compression)
    if limit is not None and size_bytes > len(data) * limit + _SLACK_BYTES:
        raise DecompressionError(f"{len(data)} bytes of {compression} cannot hold the announced {size_bytes}")
    if size_bytes > (most := limits().chunk_bytes):
        # A flipped bit in the size costs these bytes; a size that is true costs the recording.
        if (found := _measure(data, compression, most)) <= most:
            raise DecompressionError(f"it holds {found} bytes where {size_bytes} were announced", found)
        limits().check("chunk_bytes", size_bytes, what="the unpacked size of a chunk or message")
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
        raise DecompressionError(f"its {compression} data is damaged ({err})", size_bytes) from err
    if len(content) != size_bytes:
        raise DecompressionError(f"it holds {len(content)} bytes where {size_bytes} were announced", size_bytes)
    return content


def decompress_beginning(data: Buffer, *, compression: str, size_bytes: int) -> Buffer:
    """What the beginning of a chunk's compressed bytes gives: whole blocks of it, for what follows is cut off.

    Args:
        data: The bytes that are there.
        compression: `lz4` (frame format), `zstd` or `bz2`.
        size_bytes: The size that the whole content would have: no more than that is unpacked.

    Raises:
        DecompressionError: The bytes are damaged.
    """
    size_bytes = min(size_bytes, limits().chunk_bytes)
    try:
        match compression:
            case "lz4":
                return bytes(lz4.frame.LZ4FrameDecompressor().decompress(data, max_length=size_bytes))
            case "bz2":
                return bz2.BZ2Decompressor().decompress(data, size_bytes)
            case _:
                decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
                with decompressor.stream_reader(data, read_across_frames=True) as stream:
                    content = bytearray()  # piece by piece: the announced size is not to be allocated at once
                    while piece := stream.read(min(_SLACK_BYTES, size_bytes - len(content))):
                        content += piece
                    return bytes(content)
    except Exception as err:  # as in `decompress`
        raise DecompressionError(f"its {compression} data is damaged ({err})") from err


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


def announced_bytes(beginning: bytes) -> int:
    """What a zstd file says its first frame unpacks to; 0 where it does not say.

    Raises:
        zstandard.ZstdError: It does not begin like one.
    """
    size_bytes = zstandard.get_frame_parameters(beginning).content_size
    return 0 if size_bytes == zstandard.CONTENTSIZE_UNKNOWN else size_bytes


def zstd_pieces(source: Buffer | BinaryIO) -> Iterator[memoryview]:
    """What a zstd file or some zstd data unpacks to, piece by piece; each is valid until the next is asked for.

    Raises:
        zstandard.ZstdError: It is damaged.
    """
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    piece = memoryview(bytearray(_MEASURED_BYTES))
    with decompressor.stream_reader(source, read_across_frames=True, closefd=False) as stream:
        while length := stream.readinto(piece):
            yield piece[:length]


def _zstd(data: Buffer, size_bytes: int, take: Take) -> Buffer:
    decompressor = zstandard.ZstdDecompressor(max_window_size=_WINDOW_BYTES)
    if zstandard.get_frame_parameters(data).content_size == size_bytes:
        content = take(size_bytes)
        with decompressor.stream_reader(data) as stream:
            return content[: stream.readinto(content)].toreadonly()
    # No size in the frame, or several frames one behind the other: read as a stream, one byte more than announced.
    with decompressor.stream_reader(data, read_across_frames=True) as stream:
        return stream.read(size_bytes + 1)


def _measure(data: Buffer, compression: str, most_bytes: int) -> int:
    """How many bytes some data unpacks to, counted only until they are more than `most_bytes`.

    Raises:
        DecompressionError: The bytes are damaged.
    """
    found = 0
    try:
        for length in _lengths(data, compression):
            found += length
            if found > most_bytes:
                break
    except Exception as err:  # as in `decompress`
        raise DecompressionError(f"its {compression} data is damaged ({err})", found) from err
    return found


def _lengths(data: Buffer, compression: str) -> Iterator[int]:
    """The lengths of what some data unpacks to, piece by piece."""
    if compression == "zstd":
        yield from map(len, zstd_pieces(data))
        return
    unpacker = lz4.frame.LZ4FrameDecompressor() if compression == "lz4" else bz2.BZ2Decompressor()
    rest = data
    while not unpacker.eof:
        length = len(unpacker.decompress(rest, max_length=_MEASURED_BYTES))
        if not length:
            return  # it is cut off
        yield length
        rest = b""
