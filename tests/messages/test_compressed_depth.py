"""ROS's compressedDepth transport: counts are exact, metres are what its own formula gives."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from bagmill.errors import DecodeError
from bagmill.messages import describe, image_decoder, to_depth
from tests.messages.rvl_encoder import encode_rvl

COMPRESSED = "sensor_msgs/msg/CompressedImage"
DEPTH = np.random.default_rng(1).integers(0, 65536, (12, 17)).astype(np.uint16)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


def rvl(depth):
    """With the size before it, as the transport writes it: width, height."""
    return struct.pack("<II", depth.shape[1], depth.shape[0]) + encode_rvl(depth)


def message(wire, data, format_text):
    return wire.pack(COMPRESSED, {"format": format_text, "data": np.frombuffer(data, np.uint8)})


@pytest.mark.parametrize("format_text", ["16UC1; compressedDepth png", "16UC1; compressedDepth", "compressedDepth"])
def test_16_bit_counts_come_back_exactly(wire, format_text):
    channel = wire.channel(COMPRESSED)
    data = message(wire, struct.pack("<iff", 0, 0, 0) + png(DEPTH), format_text)
    payload = image_decoder(channel)(data)
    assert (payload.encoding, payload.height, payload.width) == ("png", 12, 17)
    depth = to_depth(payload)
    assert depth.dtype == np.uint16
    assert np.array_equal(depth, DEPTH)
    content = describe(channel, data)
    assert (content.kind, content.encoding, content.height, content.width) == ("depth", "png", 12, 17)


@pytest.mark.parametrize("garbage", [(3.2e-41, 1.4e-45), (float("nan"), float("inf")), (101.0, 0.9), (-1e30, 7.0)])
@pytest.mark.parametrize("kind", [0, -1, 2**31 - 1])
def test_counts_do_not_depend_on_parameters_that_their_publisher_never_sets(cdr, garbage, kind):
    for format_text, data in (("16UC1; compressedDepth png", png(DEPTH)), ("16UC1; compressedDepth rvl", rvl(DEPTH))):
        payload = image_decoder(cdr.channel(COMPRESSED))(
            message(cdr, struct.pack("<iff", kind, *garbage) + data, format_text)
        )
        assert np.array_equal(to_depth(payload), DEPTH)


def published(metres, *, largest_m=10.0, quantisation=100.0):
    """What compressed_depth_image_transport's publisher writes of depth in metres: header and counts, by its own formula."""
    a = np.float32(quantisation * (quantisation + 1))
    b = np.float32(1) - a / np.float32(largest_m)
    is_told = np.isfinite(metres) & (metres > 0) & (metres < largest_m)
    counts = np.zeros(metres.shape, np.uint16)
    counts[is_told] = (a / metres[is_told].astype(np.float32) + b).astype(np.uint16)
    return struct.pack("<iff", 0, a, b), counts


@pytest.mark.parametrize("transport", ["png", "rvl"])
@pytest.mark.parametrize("scale_m", [0.001, 0.0005])
def test_metres_are_computed_by_the_transports_own_formula(wire, transport, scale_m):
    metres = np.random.default_rng(3).uniform(0.3, 9.5, (20, 31))
    metres[0, :4] = np.nan, np.inf, 0, 12
    config, counts = published(metres)
    a, b = struct.unpack("<ff", config[4:])
    file = png(counts) if transport == "png" else rvl(counts)
    channel, data = wire.channel(COMPRESSED), message(wire, config + file, f"32FC1; compressedDepth {transport}")
    depth = to_depth(image_decoder(channel)(data), scale_m=scale_m)
    expected = [[round(a / (int(count) - b) / scale_m) if count else 0 for count in row] for row in counts]
    assert np.abs(depth.astype(int) - expected).max() <= 1, "float32 there, Python's float here"
    assert np.mean(depth == expected) > 0.98
    assert depth[0, :4].tolist() == [0, 0, 0, 0]
    # A step of the counts at 9.5 m is 9 mm.
    assert np.abs(depth * scale_m - metres)[1:].max() < 0.01
    content = describe(channel, data)
    assert (content.kind, content.encoding, content.height, content.width) == ("depth", transport, 20, 31)


def test_metres_beyond_what_the_scale_reaches_are_refused_with_the_scale_to_set(cdr):
    config, counts = published(np.full((4, 4), 90.0), largest_m=100.0)
    payload = image_decoder(cdr.channel(COMPRESSED))(message(cdr, config + png(counts), "32FC1; compressedDepth png"))
    with pytest.raises(DecodeError, match="larger `scale_m`"):
        to_depth(payload)
    assert np.all(np.abs(to_depth(payload, scale_m=0.01) - 9000) < 100)


@pytest.mark.parametrize(
    ("config", "format_text", "says"),
    [
        (
            (0, 0, 0),
            "32FC1; compressedDepth png",
            "parameters 0 and 0, which give no distances.*Record the uncompressed",
        ),
        ((0, 101.0, 1.5), "32FC1; compressedDepth png", "parameters 101 and 1.5"),
        ((0, float("nan"), 0), "32FC1; compressedDepth png", "parameters nan and 0"),
        ((0, 101.0, 0.9), "compressedDepth", "does not say whether its counts are a camera's.*Record it as `16UC1"),
    ],
)
def test_counts_that_nobody_can_tell_the_metres_of_are_refused(wire, config, format_text, says):
    channel = wire.channel(COMPRESSED)
    data = message(wire, struct.pack("<iff", *config) + png(DEPTH), format_text)
    with pytest.raises(DecodeError, match=says):
        image_decoder(channel)(data)
    assert describe(channel, data).kind == "none"


@pytest.mark.parametrize(
    ("file", "says"),
    [
        (b"", "the 8 bytes of RVL's size, found 0"),
        (struct.pack("<II", 0, 4), "a picture of 0×4 pixels"),
        (struct.pack("<II", 17, 12), "end after 0 of 204 pixels"),
        (struct.pack("<II", 10**6, 10**6), "is 1,000,000,000,000 where at most"),
    ],
)
def test_damaged_rvl_is_named(cdr, file, says):
    with pytest.raises(DecodeError, match=says):
        to_depth(image_decoder(cdr.channel(COMPRESSED))(message(cdr, bytes(12) + file, "16UC1; compressedDepth rvl")))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "the 12 bytes of compressedDepth's header, found 0"),
        (bytes(12), "expected a PNG file, found 0 bytes"),
        (bytes(12) + png(np.zeros((4, 4), np.uint8)), "16-bit gray for depth .* found 8 bits gray"),
        (bytes(12) + png(np.zeros((4, 4, 3), np.uint8)), "found 8 bits colour"),
    ],
)
def test_damage_is_named(cdr, data, says):
    with pytest.raises(DecodeError, match=says):
        image_decoder(cdr.channel(COMPRESSED))(message(cdr, data, "16UC1; compressedDepth png"))


def test_a_png_that_breaks_off_is_named_when_it_is_decoded(cdr):
    file = png(DEPTH)
    payload = image_decoder(cdr.channel(COMPRESSED))(
        message(cdr, bytes(12) + file[: len(file) // 2], "16UC1; compressedDepth png")
    )
    with pytest.raises(DecodeError, match="a damaged PNG"):
        to_depth(payload)
