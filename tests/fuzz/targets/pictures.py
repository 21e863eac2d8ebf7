"""Pictures: a message's bytes, or a file's, are damaged, and decoded as an episode's frames are."""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from functools import cache
from io import BytesIO
from pathlib import Path
from zlib import crc32

import numpy as np
from PIL import Image

from bagmill.codecs import (
    decode_depth,
    decode_jpeg,
    decode_jpeg_reduced,
    decode_lossless,
    encode_depth,
    encode_jpeg,
    encode_lossless,
    jpeg_info,
    jpeg_problem,
    whole_jpeg,
)
from bagmill.errors import CodecError
from bagmill.messages import describe, image_decoder, to_depth, to_rgb
from bagmill.messages.compressed_depth import read_compressed_depth
from bagmill.messages.compressed_image import compressed_payload
from bagmill.testing import depth_picture, picture
from tests.fuzz.seeds import channel, pictures
from tests.fuzz.target import Target, Try
from tests.messages.rvl_encoder import encode_rvl

_SIZES = (
    b"\xff\xff\xff\xff",
    b"\xff\xff\xff\x7f",
    b"\0\0\0\0",
    b"rgb8",
    b"bayer_rggb8",
    b"16UC1",
    b"32FC1",
    b"yuv422",
    b"mono16",
    b"png",
    b"jpeg",
)
_JPEG = (
    b"\xff\xd8",
    b"\xff\xd9",
    b"\xff\xc0",
    b"\xff\xc2",
    b"\xff\xda",
    b"\xff\xdd",
    b"\xff\xd0",
    b"\xff\xc4",
    b"\xff\xdc",
    b"\xff\xe1",
    b"\xff\xff",
)
_PNG = (b"IHDR", b"IDAT", b"IEND", b"PLTE", b"tRNS", b"iCCP", b"acTL", b"\0\0\0\x0dIHDR", b"\0\0\0\0")


def _decoded(schema_and_message: Callable[[], tuple[str, bytes]]) -> Try:
    def attempt(data: bytes, _: Path) -> object:
        of = channel(schema_and_message()[0])
        described = describe(of, data)
        payload = image_decoder(of)(data)
        return described, to_depth(payload) if described.kind == "depth" else to_rgb(payload)

    return attempt


def _message(encoding: str) -> Callable[[], tuple[str, bytes]]:
    return cache(lambda: pictures(encoding))


def _target(encoding: str, tokens: Sequence[bytes]) -> Target:
    made = _message(encoding)
    mend = _with_right_checksums if encoding == "png" else None
    return Target(f"picture_{encoding}", _decoded(made), lambda: [made()[1]], tokens, mend=mend)


@cache
def _jpegs() -> Sequence[bytes]:
    rgb = picture("cam_high", 0, height=16, width=24)
    progressive = BytesIO()
    Image.fromarray(rgb).save(progressive, "jpeg", progressive=True)
    return [encode_jpeg(rgb), encode_jpeg(rgb, subsampling="444"), progressive.getvalue()]


def _jpeg(data: bytes, _: Path) -> object:
    jpeg_problem(data)
    frame = whole_jpeg(data)
    jpeg_info(frame)
    return decode_jpeg(frame), decode_jpeg_reduced(frame, min_height=4, min_width=4)


def _transported(transport: str) -> Callable[[], Sequence[bytes]]:
    """What compressedDepth carries: a header of 12 bytes, then the file."""

    def make() -> Sequence[bytes]:
        depth = depth_picture(0, height=16, width=24)
        file = BytesIO()
        Image.fromarray(depth).save(file, "png")
        rvl = struct.pack("<II", depth.shape[1], depth.shape[0]) + encode_rvl(depth)
        return [struct.pack("<iff", 0, 0, 0) + (file.getvalue() if transport == "png" else rvl)]

    return cache(make)


def _compressed_depth(format_text: str) -> Try:
    return lambda data, _: to_depth(read_compressed_depth(memoryview(data), format_text=format_text))


def _with_right_checksums(data: bytes) -> bytes:
    """A PNG somewhere in the bytes, its chunks' checksums made to fit."""
    mended = bytearray(data)
    place = mended.find(b"\x89PNG\r\n\x1a\n") + 8
    while 8 <= place <= len(mended) - 12:
        end = place + 8 + int.from_bytes(mended[place : place + 4], "big")
        if end + 4 > len(mended):
            break
        mended[end : end + 4] = crc32(mended[place + 4 : end]).to_bytes(4, "big")
        place = end + 4
    return bytes(mended)


@cache
def _pngs() -> Sequence[bytes]:
    rgb = picture("cam_high", 0, height=16, width=24)
    found = []
    for image in (Image.fromarray(rgb), Image.fromarray(rgb).quantize(16), Image.fromarray(rgb).convert("LA")):
        file = BytesIO()
        image.save(file, "png")
        found.append(file.getvalue())
    return found


def _png(data: bytes, _: Path) -> object:
    return to_rgb(compressed_payload(memoryview(data), format_text="png"))


PICTURES = (
    *(_target(encoding, _SIZES) for encoding in ("rgb8", "mono8", "16UC1")),
    _target("jpeg", (*_SIZES, *_JPEG)),
    _target("png", (*_SIZES, *_PNG)),
    Target("png_file", _png, _pngs, _PNG, mend=_with_right_checksums),
    Target("jpeg_file", _jpeg, _jpegs, _JPEG),
    Target(
        "compressed_depth_png",
        _compressed_depth("16UC1; compressedDepth png"),
        _transported("png"),
        _PNG,
        mend=_with_right_checksums,
    ),
    Target(
        "compressed_depth_rvl",
        _compressed_depth("16UC1; compressedDepth rvl"),
        _transported("rvl"),
        (b"\x77", b"\xff\xff"),
    ),
    Target(
        "stored_depth",
        lambda data, _: decode_depth(data, (16, 24)),
        cache(lambda: [encode_depth(depth_picture(0, height=16, width=24))]),
        refusals=(CodecError,),
        weight=0.5,
    ),
    Target(
        "stored_lossless",
        lambda data, _: decode_lossless(data, (16, 24, 3)),
        cache(lambda: [encode_lossless(np.zeros((16, 24, 3), np.uint8))]),
        refusals=(CodecError,),
        weight=0.5,
    ),
)
