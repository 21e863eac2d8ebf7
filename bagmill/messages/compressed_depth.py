"""Depth as ROS's compressedDepth transport sends it: 16-bit counts as PNG or RVL behind a header of its own.

Source: compressed_depth_image_transport of image_transport_plugins: `ConfigHeader` (int32 format, float32 a, float32 b;
little-endian) and its codec. The message's `format` says what the counts are: of `16UC1` the camera's own, of `32FC1` made
of metres by the two numbers in the header. Of 16UC1 these numbers are never set: whatever was in memory stands there.
"""

from __future__ import annotations

import math
import struct

from bagmill.errors import DecodeError
from bagmill.messages.payload import ImagePayload, Quantisation, check_size
from bagmill.messages.png import read_png_header

_CONFIG = struct.Struct("<iff")
_RVL_SIZE = struct.Struct("<II")
_METRES = "32FC1"
_COUNTS = frozenset(("16UC1", "mono16", "Z16", "z16"))


def is_compressed_depth(format_text: str) -> bool:
    """Whether a CompressedImage's `format` names the compressedDepth transport."""
    return "compressedDepth" in format_text


def read_compressed_depth(data: memoryview, *, format_text: str) -> ImagePayload:
    """The depth in a compressedDepth message, still compressed.

    Args:
        data: The message's `data`.
        format_text: The message's `format`: `16UC1; compressedDepth png`.

    Raises:
        DecodeError: Neither PNG of 16-bit gray nor RVL, or counts that nobody can tell the metres of.
    """
    if len(data) < _CONFIG.size:
        raise DecodeError(f"expected the 12 bytes of compressedDepth's header, found {len(data)} bytes")
    _, a, b = _CONFIG.unpack_from(data)
    quantisation = _quantisation(a, b, format_text=format_text)
    file = data[_CONFIG.size :]
    if "rvl" in format_text.partition(";")[2].lower():
        return _rvl(file, quantisation)
    header = read_png_header(file)
    if not header.is_depth:
        raise DecodeError(
            f"expected a PNG of 16-bit gray for depth of format {format_text!r}, found {header.bit_depth} bits "
            f"{'gray' if header.is_gray else 'colour'}"
        )
    return ImagePayload("png", header.height, header.width, 0, True, file, quantisation)


def _quantisation(a: float, b: float, *, format_text: str) -> Quantisation | None:
    """What makes metres of the counts; None where they are the camera's own."""
    pixels = format_text.partition(";")[0].strip()
    if pixels in _COUNTS or (pixels != _METRES and a == b == 0):
        return None
    if pixels != _METRES:
        raise DecodeError(
            f"depth of format {format_text!r}: it does not say whether its counts are a camera's or made of metres",
            remedy="Record it as `16UC1; compressedDepth`, as `32FC1; compressedDepth`, or uncompressed",
        )
    # The publisher sets b to 1 − a / the largest depth, so that every count from 1 on is a distance.
    if not (math.isfinite(a) and math.isfinite(b) and a > 0 and b < 1):
        raise DecodeError(
            f"depth of format {format_text!r} was made into counts by the parameters {a:g} and {b:g}, "
            "which give no distances",
            remedy="Record the uncompressed depth, or 16UC1",
        )
    return Quantisation(a, b)


def _rvl(file: memoryview, quantisation: Quantisation | None) -> ImagePayload:
    if len(file) < _RVL_SIZE.size:
        raise DecodeError(f"expected the 8 bytes of RVL's size, found {len(file)} bytes")
    width, height = _RVL_SIZE.unpack_from(file)
    check_size(height, width)
    return ImagePayload("rvl", height, width, 0, False, file[_RVL_SIZE.size :], quantisation)
