"""Every picture encoding → RGB, judged by pixels laid out by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import RAW_ENCODINGS, ImagePayload, to_rgb

RGB = np.random.default_rng(5).integers(0, 256, (4, 6, 3), np.uint8)


def payload(pixels, encoding, *, padding=0):
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1)
    step = rows.shape[1] + padding
    padded = np.full((height, step), 0xAA, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return ImagePayload(encoding, height, width, step, is_bigendian=False, data=memoryview(padded.tobytes()))


def with_alpha(rgb):
    return np.dstack([rgb, np.full(rgb.shape[:2], 9, np.uint8)])


@pytest.mark.parametrize("padding", [0, 1, 5])
@pytest.mark.parametrize(
    ("encoding", "stored", "expected"),
    [
        ("rgb8", RGB, RGB),
        ("bgr8", RGB[..., ::-1], RGB),
        ("8UC3", RGB[..., ::-1], RGB),
        ("rgba8", with_alpha(RGB), RGB),
        ("bgra8", with_alpha(RGB[..., ::-1]), RGB),
        ("8UC4", with_alpha(RGB[..., ::-1]), RGB),
        ("mono8", RGB[..., 0], RGB[..., [0, 0, 0]]),
        ("8UC1", RGB[..., 0], RGB[..., [0, 0, 0]]),
    ],
)
def test_channels_are_put_in_order(encoding, stored, expected, padding):
    rgb = to_rgb(payload(stored, encoding, padding=padding))
    assert rgb.flags.c_contiguous
    assert np.array_equal(rgb, expected)


def test_contiguous_rgb_is_not_copied():
    source = payload(RGB, "rgb8")
    assert np.shares_memory(to_rgb(source), np.frombuffer(source.data, np.uint8))


def bt601(y, u, v):
    """ITU-R BT.601, limited range, in the textbook's numbers."""
    luma, blue, red = 1.164383 * (y - 16.0), u - 128.0, v - 128.0
    channels = (luma + 1.596027 * red, luma - 0.812968 * red - 0.391762 * blue, luma + 2.017232 * blue)
    return np.stack(channels, axis=-1).clip(0, 255)


@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize(
    ("encoding", "order"), [("yuv422", "uyvy"), ("uyvy", "uyvy"), ("yuv422_yuy2", "yuyv"), ("yuyv", "yuyv")]
)
def test_yuv_is_bt601_with_limited_range(encoding, order, padding):
    rng = np.random.default_rng(7)
    height, width = 6, 16
    y = rng.integers(16, 236, (height, width)).astype(np.uint8)
    u, v = (rng.integers(16, 241, (height, width // 2)).astype(np.uint8) for _ in range(2))
    stored = np.empty((height, width * 2), np.uint8)
    stored[:, order.index("y") :: 2] = y
    stored[:, order.index("u") :: 4] = u
    stored[:, order.index("v") :: 4] = v
    expected = bt601(y, u.repeat(2, axis=1), v.repeat(2, axis=1))
    rgb = to_rgb(payload(stored.reshape(height, width, 2), encoding, padding=padding))
    assert np.abs(rgb - expected).max() <= 3  # swscale works in integers


def mosaic(rgb, pattern):
    stored = np.empty(rgb.shape[:2], np.uint8)
    for place, colour in enumerate(pattern):
        row, column = divmod(place, 2)
        stored[row::2, column::2] = rgb[row::2, column::2, "rgb".index(colour)]
    return stored


@pytest.mark.parametrize("size", [(16, 24), (17, 24), (16, 25), (15, 23)])
@pytest.mark.parametrize("padding", [0, 3])
@pytest.mark.parametrize("pattern", ["rggb", "bggr", "gbrg", "grbg"])
def test_bayer_patterns_give_their_colours_back(pattern, padding, size):
    rgb = np.empty((*size, 3), np.uint8)
    rgb[:, :12] = (200, 40, 90)
    rgb[:, 12:] = (30, 160, 220)
    decoded = to_rgb(payload(mosaic(rgb, pattern), f"bayer_{pattern}8", padding=padding))
    assert decoded.shape == rgb.shape
    away_from_the_edge = [*range(10), *range(14, size[1])]
    assert np.abs(decoded.astype(int) - rgb)[:, away_from_the_edge].max() <= 1


@pytest.mark.parametrize(
    ("encoding", "size"), [("bayer_rggb8", (1, 4)), ("bayer_rggb8", (4, 1)), ("bayer_gbrg8", (1, 1)), ("yuyv", (4, 3))]
)
def test_sizes_that_cut_the_pattern_are_refused(encoding, size):
    # swscale would write behind its buffers.
    stored = np.zeros((*size, RAW_ENCODINGS[encoding].bytes_per_pixel), np.uint8)
    with pytest.raises(DecodeError, match="an odd size cuts it"):
        to_rgb(payload(stored, encoding))


@given(height=st.integers(2, 24), width=st.integers(2, 80))
def test_small_sizes_are_decoded(height, width):
    for encoding in ("bayer_grbg8", "uyvy"):
        if encoding == "uyvy" and width % 2:
            continue
        stored = np.full((height, width, RAW_ENCODINGS[encoding].bytes_per_pixel), 128, np.uint8)
        assert to_rgb(payload(stored, encoding)).shape == (height, width, 3)


@pytest.mark.parametrize("encoding", ["16UC1", "mono16", "Z16", "32FC1"])
def test_depth_is_no_picture(encoding):
    stored = np.zeros((2, 2, RAW_ENCODINGS[encoding].bytes_per_pixel), np.uint8)
    with pytest.raises(DecodeError, match="Take it as a depth feature"):
        to_rgb(payload(stored, encoding))


def test_every_encoding_is_either_picture_or_depth():
    for encoding, layout in RAW_ENCODINGS.items():
        source = payload(np.zeros((4, 4, layout.bytes_per_pixel), np.uint8), encoding)
        if layout.kind == "image":
            assert to_rgb(source).shape == (4, 4, 3)
        else:
            with pytest.raises(DecodeError):
                to_rgb(source)
