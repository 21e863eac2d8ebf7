"""JPEG through libjpeg-turbo.

Decoding uses the exact DCT and the smooth chroma upsampling, libjpeg's defaults: so does every other reader of an
episode, and all of them get the same numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bagmill.errors import CodecError

Buffer = bytes | bytearray | memoryview | NDArray[np.uint8]

_UINT8 = np.dtype(np.uint8)
_NUM_COMPONENTS = {"Gray": 1, "YCbCr": 3, "RGB": 3, "CMYK": 4, "YCCK": 4}
_START = b"\xff\xd8"
END = b"\xff\xd9"
"""A JPEG's last bytes."""
_MAX_HEADER_BYTES = 2048
"""Of a header that is remembered: with a picture's thumbnail in it, none is like the one before."""
_MAX_HEADERS = 8
_FAST_DIVISORS = (8, 4, 2)
"""By which libjpeg-turbo decodes a picture smaller, and faster."""
_START_OF_SCAN = 0xDA
_WITHOUT_LENGTH = {0x00, 0x01, *range(0xD0, 0xDA), 0xFF}
"""Second bytes of what is a marker without a segment, or none; not to be expected before the scan."""


@dataclass(frozen=True, slots=True)
class JpegInfo:
    """What a JPEG's header says."""

    height: int
    width: int
    num_components: int
    """1 gray, 3 colour, 4 CMYK."""
    subsampling: str
    """Of the chroma: `444`, `422`, `420`, `440`, `411`, `441`; `gray` where there is none."""


_recent_headers: list[tuple[bytes, JpegInfo]] = []
"""Headers that libjpeg-turbo has parsed, and what it said, the latest first: a camera's are alike from frame to frame, and
a frame's is asked for several times on its way. Threads share it: the worst that can happen is that one is not found."""


def encode_jpeg(rgb: NDArray[np.uint8], *, quality: int = 95, subsampling: Literal["420", "444"] = "420") -> bytes:
    """Encode a picture.

    Args:
        rgb: (H, W, 3) uint8.
        quality: 1 to 100.
        subsampling: Of the chroma: `420` or `444`.

    Raises:
        CodecError: The array is no picture, or larger than JPEG allows.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise CodecError(f"expected uint8 (H, W, 3) to encode as JPEG, found {rgb.dtype} {rgb.shape}")
    try:
        encoded = simplejpeg.encode_jpeg(
            np.ascontiguousarray(rgb), quality=quality, colorspace="RGB", colorsubsampling=subsampling, fastdct=False
        )
    except (ValueError, TypeError, KeyError) as err:
        raise CodecError(
            f"cannot be encoded as JPEG of quality {quality!r} and subsampling {subsampling!r} ({_reason(err)})"
        ) from err
    return cast("bytes", encoded)


def decode_jpeg(data: Buffer, *, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Decode a picture; a gray one is given as three equal channels.

    Args:
        data: The file's bytes.
        out: Where to decode to, (H, W, 3) uint8, C-contiguous and of the picture's own size; None: a new array.

    Returns:
        (H, W, 3) uint8.

    Raises:
        CodecError: The bytes are not a whole JPEG of one or three components, or not of the size of `out`.
    """
    info = jpeg_info(data)
    _refuse_cmyk(info)
    shape = (info.height, info.width, 3)
    if out is not None and (out.shape != shape or out.dtype != _UINT8 or not out.flags.c_contiguous):
        raise CodecError(f"expected a JPEG for uint8 {out.shape}, found one of {shape}")
    try:
        decoded: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, colorspace="RGB", fastdct=False, fastupsample=False, buffer=out
        )
    except (ValueError, TypeError) as err:
        raise CodecError(f"a damaged JPEG ({_reason(err)})") from err
    return decoded if out is None else out


def decode_jpeg_reduced(data: Buffer, *, min_height: int, min_width: int) -> NDArray[np.uint8]:
    """Decode a picture at the smallest of its own size, a half, a quarter and an eighth that is not too small.

    A picture reduced so has been averaged in the frequency domain: 4, 2 or 1 of 8 coefficients of each block, in each
    direction. libjpeg-turbo knows the other eighths as well, but has no vector instructions for them: 5/8 takes 1.4 times as
    long as the whole picture, 3/8 longer than a half.

    Args:
        data: The file's bytes.
        min_height: Of the result, at most the picture's own.
        min_width: As well.

    Returns:
        (H', W', 3) uint8, H' = ⌈H / 2ⁿ⌉.

    Raises:
        CodecError: As `decode_jpeg`.
    """
    info = jpeg_info(data)
    for divisor in _FAST_DIVISORS:
        height, width = -(-info.height // divisor), -(-info.width // divisor)
        if height >= min_height and width >= min_width:
            break
    else:
        return decode_jpeg(data)
    _refuse_cmyk(info)
    try:
        # It takes the smallest scale that reaches these, which is the one they were computed by.
        decoded = simplejpeg.decode_jpeg(
            data, colorspace="RGB", fastdct=False, fastupsample=False, min_height=height, min_width=width
        )
    except (ValueError, TypeError) as err:
        raise CodecError(f"a damaged JPEG ({_reason(err)})") from err
    return cast("NDArray[np.uint8]", decoded)


def jpeg_info(data: Buffer) -> JpegInfo:
    """Size and colour layout of a JPEG, from its header alone.

    Raises:
        CodecError: The bytes do not begin with a JPEG's header.
    """
    view = memoryview(data)  # type: ignore[arg-type]  # an ndarray is a buffer, which its annotations do not say
    for header, known in _recent_headers:
        if view[: len(header)].tobytes() == header:
            return known
    info = _parsed_info(data)
    start = view[:_MAX_HEADER_BYTES].tobytes()
    if length := _header_length(start):
        _recent_headers.insert(0, (start[:length], info))
        del _recent_headers[_MAX_HEADERS:]
    return info


def _parsed_info(data: Buffer) -> JpegInfo:
    try:
        height, width, colorspace, subsampling = simplejpeg.decode_jpeg_header(data)
    except (ValueError, TypeError) as err:
        raise CodecError(f"not a JPEG ({_reason(err)})") from err
    num_components = _NUM_COMPONENTS.get(colorspace)
    if num_components is None:
        raise CodecError(f"a JPEG of the unknown colour space {colorspace!r}")
    return JpegInfo(int(height), int(width), num_components, str(subsampling).lower())


def _refuse_cmyk(info: JpegInfo) -> None:
    if info.num_components > 3:
        raise CodecError(
            "a CMYK JPEG, which has no one conversion to RGB", remedy="Record the camera as RGB or gray JPEG"
        )


def header_of(data: Buffer) -> bytes | None:
    """A JPEG's header: all before its entropy-coded data. Two JPEGs with the same one have the same size and colours.

    Returns:
        None where it is unusual, or longer than a header that several pictures could share.
    """
    start = bytes(memoryview(data)[:_MAX_HEADER_BYTES])  # type: ignore[arg-type]  # as in `jpeg_info`
    length = _header_length(start)
    return None if length is None else start[:length]


def _header_length(start: bytes) -> int | None:
    """Where the header of a JPEG ends and its entropy-coded data begin; None if not within `start`, or if it is unusual.

    Source: ITU-T T.81 annex B: a segment is a marker, its length with the two bytes that hold it, and its content.
    """
    place = len(_START)
    while place + 4 <= len(start):
        marker = start[place + 1]
        if start[place] != 0xFF or marker in _WITHOUT_LENGTH:
            return None
        end = place + 2 + int.from_bytes(start[place + 2 : place + 4], "big")
        if marker == _START_OF_SCAN:
            return end if end <= len(start) else None
        place = end
    return None


def is_whole(data: Buffer) -> bool:
    """Whether bytes begin as a JPEG, have its header, and end as one.

    Cheap: what lies between is not decoded, so that damage in the middle is not seen. Zero bytes after the end are
    allowed: drivers that hand out fixed buffers leave them.
    """
    view = memoryview(data)  # type: ignore[arg-type]  # an ndarray is a buffer, which its annotations do not say
    if bytes(view[:2]) != _START:
        return False
    end = bytes(view[-64:]).rstrip(b"\0")
    if len(end) < len(END):
        end = bytes(view).rstrip(b"\0")
    if not end.endswith(END):
        return False
    try:
        jpeg_info(data)
    except CodecError:
        return False
    return True


def _reason(err: Exception) -> str:
    # libjpeg-turbo's messages begin with the name of its function, which says nothing to a reader.
    return str(err).rsplit("(): ", maxsplit=1)[-1]
