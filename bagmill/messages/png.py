"""PNG files: what one says of itself in its first 26 bytes, and its pixels."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from PIL.PngImagePlugin import PngImageFile

from bagmill.errors import DecodeError
from bagmill.messages.payload import check_size

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

_HEADER = struct.Struct(">8sI4sIIBB")
_CHUNK = struct.Struct(">I4s")
_CRC_BYTES: Final = 4
_GRAY = 0
_PIXELS: Final = frozenset((b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"))
"""Chunks that the pixels hang on; all others say something beside them, some of it compressed."""


@dataclass(frozen=True, slots=True)
class PngHeader:
    """Size and kind of a PNG's pixels."""

    height: int
    width: int
    bit_depth: int
    """Bits of one number: 1 to 16."""
    is_gray: bool
    """One number a pixel: gray without alpha."""

    @property
    def is_depth(self) -> bool:
        """16-bit gray: what depth is kept as."""
        return self.is_gray and self.bit_depth == 16


def read_png_header(data: memoryview) -> PngHeader:
    """Size and kind of a PNG's pixels.

    Args:
        data: The file's bytes.

    Raises:
        DecodeError: Not a PNG, or one that breaks off before its header ends.

    Source: W3C PNG specification, third edition, sections 5.2 and 11.2.1.
    """
    if len(data) < _HEADER.size:
        raise DecodeError(f"expected a PNG file, found {len(data)} bytes")
    magic, size, name, width, height, bit_depth, color_type = _HEADER.unpack_from(data)
    if magic != PNG_MAGIC or name != b"IHDR" or size != 13:
        raise DecodeError("expected a PNG file, found bytes without a PNG's header")
    check_size(height, width)
    return PngHeader(height, width, bit_depth, color_type == _GRAY)


def open_png(data: memoryview) -> PngImageFile:
    """A PNG for Pillow to decode: of its chunks, those that its pixels hang on.

    Args:
        data: The file's bytes.

    Raises:
        DecodeError: It has a second header.
        Exception: Whatever Pillow says of a damaged file: OSError, SyntaxError, ValueError…
    """
    kept: list[memoryview | bytes] = [PNG_MAGIC]
    num_headers = 0
    for name, chunk in _chunks(data):
        if name in _PIXELS:
            kept.append(chunk)
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
