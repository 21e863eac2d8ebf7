"""One picture as its message carries it: the bytes, and what is needed to read them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, NamedTuple

from bagmill.errors import DecodeError
from bagmill.limits import limits


class RawEncoding(NamedTuple):
    """How uncompressed pixels lie in memory."""

    bytes_per_pixel: int
    kind: Literal["image", "depth"]


RAW_ENCODINGS: dict[str, RawEncoding] = {
    **dict.fromkeys(("mono8", "8UC1"), RawEncoding(1, "image")),
    **dict.fromkeys((f"bayer_{pattern}8" for pattern in ("rggb", "bggr", "gbrg", "grbg")), RawEncoding(1, "image")),
    **dict.fromkeys(("yuv422", "uyvy", "yuv422_yuy2", "yuyv"), RawEncoding(2, "image")),
    **dict.fromkeys(("rgb8", "bgr8", "8UC3"), RawEncoding(3, "image")),
    **dict.fromkeys(("rgba8", "bgra8", "8UC4"), RawEncoding(4, "image")),
    **dict.fromkeys(("16UC1", "mono16", "Z16", "z16"), RawEncoding(2, "depth")),
    "32FC1": RawEncoding(4, "depth"),
}
"""Encodings of uncompressed pixels that can be decoded, by the name that messages use."""

COMPRESSED_ENCODINGS = ("jpeg", "png", "rvl")


class Quantisation(NamedTuple):
    """How compressedDepth made 16-bit counts of metres: depth = a / (count − b), and 0 where there is none."""

    a: float
    b: float


@dataclass(frozen=True, slots=True)
class ImagePayload:
    """A picture, not decoded: rows of pixels, or a compressed file's bytes."""

    encoding: str
    """As the message names it (`rgb8`, `16UC1`), or `jpeg`, `png`, `rvl`."""
    height: int
    """Pixels."""
    width: int
    """Pixels."""
    step: int
    """Bytes from one row to the next; 0 where compressed."""
    is_bigendian: bool
    """Byte order of numbers wider than a byte, inside `data`."""
    data: memoryview
    """Rows of pixels, or the compressed file; a view into the message, as long as that lives."""
    quantisation: Quantisation | None = None
    """Depth in metres that was made into counts before it was compressed; None: the counts are the camera's own."""


def raw_payload(
    data: memoryview, *, encoding: str, height: int, width: int, step: int, is_bigendian: bool
) -> ImagePayload:
    """A payload of uncompressed pixels, every size of it checked against the bytes there are.

    Args:
        data: At least `height` rows, `step` bytes apart; bytes behind them are left out of the payload.
        encoding: One of `RAW_ENCODINGS`.
        height: Pixels.
        width: Pixels.
        step: Bytes from one row to the next, padding included.
        is_bigendian: Byte order of numbers wider than a byte.

    Raises:
        DecodeError: An unknown encoding, a size of zero, rows that overlap, or fewer bytes than the sizes say.
    """
    layout = RAW_ENCODINGS.get(encoding)
    if layout is None:
        known = ", ".join((*RAW_ENCODINGS, *COMPRESSED_ENCODINGS))
        raise DecodeError(f"pixels of encoding {encoding!r} cannot be decoded", remedy=f"Supported: {known}")
    check_size(height, width)
    num_row_bytes = width * layout.bytes_per_pixel
    if step < num_row_bytes:
        raise DecodeError(
            f"{width} pixels of {encoding} need {num_row_bytes} bytes a row, but the message says its rows are "
            f"{step} bytes apart"
        )
    # The last row's padding is often left away.
    num_needed = (height - 1) * step + num_row_bytes
    if len(data) < num_needed:
        raise DecodeError(
            f"{width}×{height} {encoding} in rows of {step} bytes needs {num_needed} bytes, found {len(data)}",
            remedy="The message was cut off or filled in wrongly; it cannot be turned into a picture",
        )
    return ImagePayload(encoding, height, width, step, is_bigendian, data[: height * step])


def check_size(height: int, width: int) -> None:
    """Refuse sizes that no camera has: a damaged one must not make us reserve gigabytes.

    Raises:
        DecodeError: No pixels at all.
        LimitError: Too many.
    """
    if height <= 0 or width <= 0:
        raise DecodeError(f"a picture of {width}×{height} pixels: there is nothing in it")
    limits().check("pixels", height * width, what=f"the number of pixels of a picture of {width}×{height}")
