"""ROS's compressedDepth transport: exact or refused."""

import io
import struct

import numpy as np
import pytest
from PIL import Image

from bagmill.errors import DecodeError
from bagmill.messages import describe, image_decoder, to_depth

COMPRESSED = "sensor_msgs/msg/CompressedImage"
DEPTH = np.random.default_rng(1).integers(0, 65536, (12, 17)).astype(np.uint16)


def png(pixels):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    return file.getvalue()


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


@pytest.mark.parametrize(
    ("config", "format_text", "says"),
    [
        ((0, 0, 0), "32FC1; compressedDepth png", "quantised to inverse depth.*Record the raw depth, or 16UC1"),
        ((0, 101.0, 0.9), "compressedDepth", "quantised to inverse depth"),
        ((0, 0, 0), "16UC1; compressedDepth rvl", "RVL is not supported.*Record the raw depth"),
    ],
)
def test_what_is_not_exact_is_refused_and_says_what_to_do(wire, config, format_text, says):
    channel = wire.channel(COMPRESSED)
    data = message(wire, struct.pack("<iff", *config) + png(DEPTH), format_text)
    with pytest.raises(DecodeError, match=says):
        image_decoder(channel)(data)
    assert describe(channel, data).kind == "none"


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
