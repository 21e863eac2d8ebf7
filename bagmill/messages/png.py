"""What a PNG file says of itself in its first 26 bytes, without decoding it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from bagmill.errors import DecodeError
from bagmill.messages.payload import ImagePayload, check_size

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"

_HEADER = struct.Struct(">8sI4sIIBB")
_GRAY = 0


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


def check_decoded(shape: tuple[int, ...], payload: ImagePayload) -> None:
    """Refuse a file whose pixels are not as many as its header says: it has a second header.

    Args:
        shape: Of the decoded pixels, height and width first.
        payload: The file.

    Raises:
        DecodeError: They are not.
    """
    if shape[:2] != (payload.height, payload.width):
        raise DecodeError(
            f"a PNG that says {payload.width}×{payload.height} at its beginning and holds {shape[1]}×{shape[0]} pixels"
        )
