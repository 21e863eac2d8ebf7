"""PNG files: what one says of itself in its first 29 bytes, and its pixels."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from PIL.PngImagePlugin import PngImageFile

from bagmill.errors import DecodeError
from bagmill.messages.payload import check_size

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

_HEADER = struct.Struct(">8sI4sIIBBBBB")
_CHUNK = struct.Struct(">I4s")
_CRC_BYTES: Final = 4
_GRAY = 0
_PIXELS: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
"""Chunks that the pixels hang on; all others say something beside them, some of it compressed."""
_CHANNELS: Final = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
"""Numbers of a pixel, by the header's colour type."""
_WHOLE: Final = ((0, 0, 1, 1),)
_ADAM7: Final = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""(first column, first row, columns apart, rows apart) of each pass over the pixels."""
_PIECE_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class PngHeader:
    """Size and kind of a PNG's pixels."""

    height: int
    width: int
    bit_depth: int
    """Bits of one number: 1 to 16."""
    color_type: int
    is_interlaced: bool

    @property
    def is_gray(self) -> bool:
        """One number a pixel: gray without alpha."""
        return self.color_type == _GRAY

    @property
    def is_depth(self) -> bool:
        """16-bit gray: what depth is kept as."""
        return self.is_gray and self.bit_depth == 16

    @property
    def num_bytes(self) -> int:
        """Bytes of all rows before they are compressed, each with the one that names its filter.

        Source: W3C PNG specification, third edition, sections 7.2 and 8.1.
        """
        bits = self.bit_depth * _CHANNELS[self.color_type]
        total = 0
        for left, top, across, down in _ADAM7 if self.is_interlaced else _WHOLE:
            columns, rows = -((left - self.width) // across), -((top - self.height) // down)
            if columns > 0 and rows > 0:
                total += rows * (1 + (columns * bits + 7) // 8)
        return total


def read_png_header(data: memoryview) -> PngHeader:
    """Size and kind of a PNG's pixels.

    Args:
        data: The file's bytes.

    Raises:
        DecodeError: Not a PNG, one that breaks off before its header ends, or of a kind of pixels that there is not.

    Source: W3C PNG specification, third edition, sections 5.2 and 11.2.1.
    """
    if len(data) < _HEADER.size:
        raise DecodeError(f"expected a PNG file, found {len(data)} bytes")
    magic, size, name, width, height, bit_depth, color_type, _, _, interlace = _HEADER.unpack_from(data)
    if magic != PNG_MAGIC or name != b"IHDR" or size != 13:
        raise DecodeError("expected a PNG file, found bytes without a PNG's header")
    check_size(height, width)
    if color_type not in _CHANNELS:
        raise DecodeError(f"a PNG whose pixels are of kind {color_type}, which there is not")
    return PngHeader(height, width, bit_depth, color_type, interlace != 0)


def decode_png(data: memoryview) -> PngImageFile:
    """A PNG's pixels, all of them there.

    Pillow takes a stream that ends before the last row for a picture whose other rows are black. So a picture whose last
    row is black, as one that is interlaced, is inflated once more and its bytes are counted. Nor does it look at the
    checksums of the pixels, of which it may not reach the stream's own either.

    Args:
        data: The file's bytes.

    Returns:
        A picture that is loaded.

    Raises:
        DecodeError: It has a second header, pixels that their checksum does not fit, or fewer rows than its header says.
        Exception: Whatever Pillow says of a damaged file: OSError, SyntaxError, ValueError…
    """
    header = read_png_header(data)
    image = _open(data)
    image.load()
    last = (0, header.height - 1, header.width, header.height)
    if header.is_interlaced or not np.asarray(image.crop(last)).any():
        found = _count_bytes(data, header.num_bytes)
        if found < header.num_bytes:
            raise DecodeError(
                f"the pixels of a PNG of {header.width}×{header.height} end after {found:,} of {header.num_bytes:,} bytes"
            )
    return image


def _count_bytes(data: memoryview, enough: int) -> int:
    """Bytes that the pixels' stream inflates to, counted to `enough` and kept nowhere."""
    inflater, found = zlib.decompressobj(), 0
    for name, chunk in _chunks(data):
        if name != b"IDAT":
            continue
        rest = bytes(chunk[_CHUNK.size : -_CRC_BYTES])
        while rest and found < enough and not inflater.eof:
            found += len(inflater.decompress(rest, _PIECE_BYTES))
            rest = inflater.unconsumed_tail
    while found < enough and not inflater.eof:
        piece = inflater.decompress(b"", _PIECE_BYTES)
        if not piece:
            break
        found += len(piece)
    return found


def _open(data: memoryview) -> PngImageFile:
    """A PNG for Pillow to decode: of its chunks, those that its pixels hang on."""
    kept: list[memoryview | bytes] = [PNG_MAGIC]
    num_headers = 0
    for name, chunk in _chunks(data):
        if name in _PIXELS:
            kept.append(chunk)
        if name == b"IDAT" and zlib.crc32(chunk[4:-_CRC_BYTES]) != int.from_bytes(chunk[-_CRC_BYTES:], "big"):
            raise DecodeError("a damaged PNG: its pixels do not fit their checksum")
        num_headers += name == b"IHDR"
    if num_headers != 1:
        raise DecodeError(f"a PNG with {num_headers} headers")
    # Not by `Image.open`, which warns of sizes far below those that are taken here.
    return PngImageFile(io.BytesIO(b"".join(kept)))


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview]]:
    """(name, all its bytes) of every chunk up to the last; the bytes of one that breaks off are what is there of it."""
    place, name = len(PNG_MAGIC), b""
    while place + _CHUNK.size <= len(data) and name != b"IEND":
        size, name = _CHUNK.unpack_from(data, place)
        end = place + _CHUNK.size + size + _CRC_BYTES
        yield name, data[place:end]
        place = end
