"""JPEG through libjpeg-turbo.

Decoding uses the exact DCT and the smooth chroma upsampling, libjpeg's defaults: so does every other reader of an
episode, and all of them get the same numbers. It is as lenient as they are: what libjpeg only warns of is a picture.
Which JPEGs may become frames is decided before they are stored: see `jpeg_whole`.
"""

from __future__ import annotations

from typing import Literal, cast

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bagmill.codecs.jpeg_header import Buffer, JpegInfo, jpeg_info, reason_of
from bagmill.codecs.jpeg_segments import SCAN
from bagmill.codecs.pillow_jpeg import decode_by_pillow
from bagmill.errors import CodecError, LimitError
from bagmill.limits import limits

_UINT8 = np.dtype(np.uint8)
_FAST_DIVISORS = (8, 4, 2)
"""By which libjpeg-turbo decodes a picture smaller, and faster."""


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
            f"cannot be encoded as JPEG of quality {quality!r} and subsampling {subsampling!r} ({reason_of(err)})"
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
        CodecError: The bytes are not a JPEG of one or three components, or not of the size of `out`.
    """
    info = jpeg_info(data)
    refuse_cmyk(info)
    shape = (info.height, info.width, 3)
    if out is not None and (out.shape != shape or out.dtype != _UINT8 or not out.flags.c_contiguous):
        raise CodecError(f"expected a JPEG for uint8 {out.shape}, found one of {shape}")
    decoded = _decoded(data, info, out=out)
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
        if -(-info.height // divisor) >= min_height and -(-info.width // divisor) >= min_width:
            refuse_cmyk(info)
            return _decoded(data, info, divisor=divisor)
    return decode_jpeg(data)


def _decoded(
    data: Buffer, info: JpegInfo, *, out: NDArray[np.uint8] | None = None, divisor: int = 1
) -> NDArray[np.uint8]:
    if info.may_have_scans:
        refuse_many_scans(data)
    if not info.is_usual:
        picture = decode_by_pillow(data, divisor=divisor)
        if out is not None:
            out[...] = picture
        return picture
    try:
        decoded: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data,
            colorspace="RGB",
            fastdct=False,
            fastupsample=False,
            # It takes the smallest scale that reaches these, which is the one they are computed by.
            min_height=0 if divisor == 1 else -(-info.height // divisor),
            min_width=0 if divisor == 1 else -(-info.width // divisor),
            buffer=out,
            strict=False,
        )
    except (ValueError, TypeError) as err:
        raise CodecError(f"a damaged JPEG ({reason_of(err)})") from err
    return decoded


def refuse_many_scans(data: Buffer) -> None:
    """Refuse a file of so many scans that decoding it would take minutes: each goes over the whole picture.

    Raises:
        CodecError: It is one.
    """
    num_scans = bytes(memoryview(data)).count(SCAN)  # type: ignore[arg-type]  # an ndarray is a buffer
    try:
        limits().check("jpeg_scans", num_scans, what="the number of scans of a JPEG")
    except LimitError as err:
        raise CodecError(err.problem, remedy=err.remedy) from err


def refuse_cmyk(info: JpegInfo) -> None:
    """Refuse a picture in printing colours.

    Raises:
        CodecError: It is one.
    """
    if info.num_components > 3:
        raise CodecError(
            "a CMYK JPEG, which has no one conversion to RGB", remedy="Record the camera as RGB or gray JPEG"
        )
