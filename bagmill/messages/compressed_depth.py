"""Depth as ROS's compressedDepth transport sends it: a PNG of 16-bit counts behind a header of its own."""

from __future__ import annotations

import struct

from bagmill.errors import DecodeError
from bagmill.messages.payload import ImagePayload
from bagmill.messages.png import read_png_header

_CONFIG = struct.Struct("<iff")
_RECORD_OTHERWISE = "Record the raw depth, or 16UC1 through compressedDepth with png_level"


def is_compressed_depth(format_text: str) -> bool:
    """Whether a CompressedImage's `format` names the compressedDepth transport."""
    return "compressedDepth" in format_text


def read_compressed_depth(data: memoryview, *, format_text: str) -> ImagePayload:
    """The exact counts in a compressedDepth message, still as their PNG.

    Depth in metres (32FC1) is thinned out to 16 bits by that transport, and RVL has no decoder here; both are refused.

    Args:
        data: The message's `data`.
        format_text: The message's `format`: `16UC1; compressedDepth png`.

    Raises:
        DecodeError: Thinned-out depth, RVL, or no PNG of 16-bit gray.

    Source: compressed_depth_image_transport, `ConfigHeader` (int32 format, float32 a, float32 b; little-endian).
    """
    if len(data) < _CONFIG.size:
        raise DecodeError(f"expected the 12 bytes of compressedDepth's header, found {len(data)} bytes")
    _, *quantisation = _CONFIG.unpack_from(data)
    pixel_encoding, _, transport = format_text.partition(";")
    if pixel_encoding.strip() == "32FC1" or any(quantisation):
        raise DecodeError(
            f"depth of format {format_text!r} was quantised to inverse depth when it was recorded: it is not exact",
            remedy=_RECORD_OTHERWISE,
        )
    if "rvl" in transport.lower():
        raise DecodeError(f"depth of format {format_text!r}: RVL is not supported", remedy=_RECORD_OTHERWISE)
    png = data[_CONFIG.size :]
    header = read_png_header(png)
    if not header.is_depth:
        raise DecodeError(
            f"expected a PNG of 16-bit gray for depth of format {format_text!r}, found {header.bit_depth} bits "
            f"{'gray' if header.is_gray else 'colour'}"
        )
    return ImagePayload("png", header.height, header.width, 0, is_bigendian=True, data=png)
