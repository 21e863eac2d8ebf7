"""What a JPEG says of itself before its entropy-coded data."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import numpy as np
import simplejpeg
from numpy.typing import NDArray

from bagmill.codecs.jpeg_segments import has_one_scan, header_length
from bagmill.codecs.pillow_jpeg import open_by_pillow
from bagmill.errors import CodecError

Buffer = bytes | bytearray | memoryview | NDArray[np.uint8]

_NUM_COMPONENTS = {"Gray": 1, "YCbCr": 3, "RGB": 3, "CMYK": 4, "YCCK": 4}
_MAX_HEADER_BYTES = 2048
"""Of a header that is remembered: with a picture's thumbnail in it, none is like the one before."""
_MAX_HEADERS = 8


@dataclass(frozen=True, slots=True)
class JpegInfo:
    """What a JPEG's header says."""

    height: int
    width: int
    num_components: int
    """1 gray, 3 colour, 4 CMYK."""
    subsampling: str
    """Of the chroma: `444`, `422`, `420`, `440`, `411`, `441`; `gray` where there is none."""
    may_have_scans: bool = field(default=True, compare=False, repr=False)
    """Its picture may be in several scans, one coming on top of the other."""
    is_usual: bool = True
    """TurboJPEG accepts the header; False: libjpeg warns of it, or its sampling of the chroma (`other`) has no name."""


_recent_headers: list[tuple[bytes, JpegInfo]] = []
"""Headers that libjpeg-turbo has parsed, and what it said, the latest first: a camera's are alike from frame to frame, and
a frame's is asked for several times on its way. Threads share it: the worst that can happen is that one is not found."""


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
    if length := header_length(start):
        info = replace(info, may_have_scans=not has_one_scan(start[:length]))
        _recent_headers.insert(0, (start[:length], info))
        del _recent_headers[_MAX_HEADERS:]
    return info


def _parsed_info(data: Buffer) -> JpegInfo:
    try:
        height, width, colorspace, subsampling = simplejpeg.decode_jpeg_header(data)
    except (ValueError, TypeError, KeyError) as err:  # a KeyError where it has no name for the sampling of the chroma
        return _info_by_pillow(data, err)
    num_components = _NUM_COMPONENTS.get(colorspace)
    if num_components is None:
        raise CodecError(f"a JPEG of the unknown colour space {colorspace!r}")
    return JpegInfo(int(height), int(width), num_components, str(subsampling).lower())


def _info_by_pillow(data: Buffer, error: Exception) -> JpegInfo:
    """The same of a header that TurboJPEG refuses and libjpeg, which all other readers use, does not."""
    try:
        image = open_by_pillow(data)
    except CodecError:
        raise CodecError(f"not a JPEG ({reason_of(error)})") from error
    return JpegInfo(image.height, image.width, len(image.getbands()), "other", is_usual=False)


def header_of(data: Buffer) -> bytes | None:
    """A JPEG's header: all before its entropy-coded data. Two JPEGs with the same one have the same size and colours.

    Returns:
        None where it is unusual, or longer than a header that several pictures could share.
    """
    start = bytes(memoryview(data)[:_MAX_HEADER_BYTES])  # type: ignore[arg-type]  # as in `jpeg_info`
    length = header_length(start)
    return None if length is None else start[:length]


def reason_of(err: Exception) -> str:
    """What libjpeg-turbo says, without the name of its function that its messages begin with."""
    return str(err).rsplit("(): ", maxsplit=1)[-1]
