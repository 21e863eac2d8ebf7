"""PNG files whose pixels are fewer than they say."""

import struct
import zlib
from collections.abc import Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages.depth import to_depth
from bagmill.messages.payload import ImagePayload
from bagmill.messages.pixels import to_rgb
from bagmill.messages.png import read_png_header

SHAPE = (479, 641)
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
KINDS = {"depth": (16, 0), "gray": (8, 0), "rgb": (8, 2), "palette": (8, 3), "gray and alpha": (8, 4), "rgba": (8, 6)}
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


def chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def pixels_of(kind: str) -> NDArray[np.uint8 | np.uint16]:
    """(H, W, C) of random numbers above 0."""
    bits, color_type = KINDS[kind]
    random = np.random.default_rng(0)
    shape = (*SHAPE, CHANNELS[color_type])
    return random.integers(1, 2**bits, shape, np.uint16) if bits == 16 else random.integers(1, 256, shape, np.uint8)


def rows_of(pixels: NDArray[np.uint8 | np.uint16], *, interlaced: bool) -> bytes:
    """What is compressed of pixels: rows without a filter."""
    rows = bytearray()
    for left, top, across, down in PASSES if interlaced else ((0, 0, 1, 1),):
        for row in pixels[top::down, left::across]:
            rows += b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes()
    return bytes(rows)


def png(kind: str, streams: Iterable[bytes], *, interlaced: bool = False) -> ImagePayload:
    bits, color_type = KINDS[kind]
    height, width = SHAPE
    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, interlaced)
    palette = chunk(b"PLTE", bytes(range(256)) * 3) if color_type == 3 else b""
    file = b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            palette,
            *(chunk(b"IDAT", s) for s in streams),
            chunk(b"IEND", b""),
        )
    )
    return ImagePayload("png", height, width, 0, False, memoryview(file))


def decode(kind: str, payload: ImagePayload) -> NDArray[np.uint8 | np.uint16]:
    return to_depth(payload) if kind == "depth" else to_rgb(payload)


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_whole_ones_are_taken(kind, interlaced):
    pixels = pixels_of(kind)
    stream = zlib.compress(rows_of(pixels, interlaced=interlaced))
    for streams in ([stream], [stream[:70_000], stream[70_000:]], [stream + b"behind"]):
        decoded = decode(kind, png(kind, streams, interlaced=interlaced))
        if kind == "depth":
            assert np.array_equal(decoded, pixels[..., 0])
        elif kind in ("rgb", "rgba"):
            assert np.array_equal(decoded, pixels[..., :3])
        else:
            assert decoded.shape == (*SHAPE, 3)


@pytest.mark.parametrize("kind", KINDS)
def test_the_header_knows_the_number_of_bytes(kind):
    for interlaced in (False, True):
        header = read_png_header(png(kind, [], interlaced=interlaced).data)
        assert header.num_bytes == len(rows_of(pixels_of(kind), interlaced=interlaced))


@pytest.mark.parametrize("interlaced", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("missing", ["half", "a row", "a byte"])
def test_a_stream_that_ends_early_is_no_picture(kind, interlaced, missing):
    pixels = pixels_of(kind)
    rows = rows_of(pixels, interlaced=interlaced)
    row = 1 + pixels[0].nbytes
    short = zlib.compress(rows[: -{"half": len(rows) // 2, "a row": row, "a byte": 1}[missing]])
    # Alone, with bytes behind it, in two chunks, and with the rest in a stream of its own, which no reader goes on to.
    rest = zlib.compress(rows[len(rows) // 2 :])
    for streams in ([short], [short + bytes(99_999)], [short[:1000], short[1000:]], [short, rest]):
        with pytest.raises(DecodeError, match="the pixels of a PNG of 641×479 end after|a damaged PNG"):
            decode(kind, png(kind, streams, interlaced=interlaced))


def test_black_rows_at_the_end_are_rows():
    pixels = pixels_of("depth")
    pixels[300:] = 0
    stream = zlib.compress(rows_of(pixels, interlaced=False))
    assert np.array_equal(to_depth(png("depth", [stream])), pixels[..., 0])


def test_a_kind_of_pixels_that_there_is_not():
    file = bytearray(png("gray", []).data)
    file[25] = 5
    with pytest.raises(DecodeError, match="kind 5"):
        read_png_header(memoryview(bytes(file)))


@pytest.mark.parametrize("kind", ["depth", "rgb"])
def test_pixels_that_their_checksum_does_not_fit_are_no_picture(kind):
    """The stream's own checksum is behind its last row, where decoding may end before it."""
    pixels = pixels_of(kind)
    stream = zlib.compress(rows_of(pixels, interlaced=False))
    whole = png(kind, [stream])
    decode = to_depth if kind == "depth" else to_rgb
    np.testing.assert_array_equal(decode(whole).reshape(pixels.shape), pixels)

    file = bytearray(whole.data)
    file[-12 - 4 - 4 - 2] ^= 1  # before the end chunk, the checksum and the stream's own
    with pytest.raises(DecodeError, match="checksum"):
        decode(ImagePayload("png", *SHAPE, 0, False, memoryview(bytes(file))))
