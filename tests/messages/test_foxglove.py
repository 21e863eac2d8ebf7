"""foxglove.RawImage and foxglove.CompressedImage, written by google.protobuf, json and rosbags."""

import base64
import io
import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bagmill.errors import DecodeError
from bagmill.messages import describe, image_decoder, to_depth, to_rgb

PIXELS = np.random.default_rng(3).integers(0, 256, (6, 8, 3), np.uint8)
RAW = """builtin_interfaces/Time timestamp
string frame_id
uint32 width
uint32 height
string encoding
uint32 step
uint8[] data
"""
COMPRESSED = "builtin_interfaces/Time timestamp\nstring frame_id\nuint8[] data\nstring format\n"


def raw_values(pixels, encoding):
    return {
        "frame_id": "camera",
        "width": pixels.shape[1],
        "height": pixels.shape[0],
        "encoding": encoding,
        "step": pixels[0].nbytes,
        "data": pixels.tobytes(),
    }


def jpeg():
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, format="JPEG")
    return file.getvalue()


def packed(values):
    return {name: list(value) if isinstance(value, bytes) else value for name, value in values.items()}


def in_json(values):
    return json.dumps(
        {
            name: base64.b64encode(value).decode() if isinstance(value, bytes) else value
            for name, value in values.items()
        }
    ).encode()


def test_raw_image_as_protobuf_is_a_view(foxglove):
    channel = foxglove.channel("foxglove.RawImage")
    data = foxglove.message("foxglove.RawImage", **raw_values(PIXELS, "rgb8")).SerializeToString()
    payload = image_decoder(channel)(data)
    assert np.array_equal(to_rgb(payload), PIXELS)
    assert payload.data.obj is data  # nothing was copied
    assert describe(channel, data).kind == "image"


def test_raw_image_as_json(json_channel):
    payload = image_decoder(json_channel("foxglove.RawImage"))(in_json(raw_values(PIXELS, "bgr8")))
    assert np.array_equal(to_rgb(payload), PIXELS[..., ::-1])


def test_raw_image_as_ros_message(wire):
    wire = wire.with_type("foxglove_msgs/msg/RawImage", RAW)
    data = wire.pack("foxglove_msgs/msg/RawImage", packed(raw_values(PIXELS, "rgb8")))
    assert np.array_equal(to_rgb(image_decoder(wire.channel("foxglove_msgs/msg/RawImage"))(data)), PIXELS)


@pytest.mark.parametrize("encoding", ["mono16", "16UC1"])
def test_16_bits_are_little_endian_depth(foxglove, encoding):
    depth = np.array([[0, 1], [256, 65535]], "<u2")
    channel = foxglove.channel("foxglove.RawImage")
    data = foxglove.message("foxglove.RawImage", **raw_values(depth, encoding)).SerializeToString()
    assert np.array_equal(to_depth(image_decoder(channel)(data)), depth)
    assert describe(channel, data).kind == "depth"


def test_compressed_image_in_every_encoding(foxglove, json_channel, wire):
    values = {"frame_id": "camera", "data": jpeg(), "format": "jpeg"}
    ros = wire.with_type("foxglove_msgs/msg/CompressedImage", COMPRESSED)
    name = "foxglove.CompressedImage"
    for channel, data in (
        (foxglove.channel(name), foxglove.message(name, **values).SerializeToString()),
        (json_channel(name), in_json(values)),
        (
            ros.channel("foxglove_msgs/msg/CompressedImage"),
            ros.pack("foxglove_msgs/msg/CompressedImage", packed(values)),
        ),
    ):
        payload = image_decoder(channel)(data)
        assert (payload.encoding, payload.height, payload.width) == ("jpeg", 6, 8)
        assert bytes(payload.data) == values["data"]


def test_formats_without_a_decoder_are_refused(foxglove):
    file = io.BytesIO()
    Image.fromarray(PIXELS).save(file, format="WEBP")
    message = foxglove.message("foxglove.CompressedImage", data=file.getvalue(), format="webp")
    with pytest.raises(DecodeError, match=r"format 'webp' that are neither a JPEG nor a PNG.*Supported: JPEG and PNG"):
        image_decoder(foxglove.channel("foxglove.CompressedImage"))(message.SerializeToString())


@given(cut=st.integers(0, 10_000), flip=st.integers(0, 255), at=st.integers(0, 10_000))
def test_damaged_protobuf_is_named_or_a_picture(foxglove, cut, flip, at):
    data = bytearray(foxglove.message("foxglove.RawImage", **raw_values(PIXELS, "rgb8")).SerializeToString())
    data[at % len(data)] ^= flip
    try:
        payload = image_decoder(foxglove.channel("foxglove.RawImage"))(bytes(data[: cut % (len(data) + 1)]))
    except DecodeError:
        return
    assert len(payload.data) <= len(data)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"width": "8"}, "field `width`: expected a whole number, found '8'"),
        ({"height": True}, "field `height`: expected a whole number, found True"),
        ({"data": [1, 2]}, "field `data`: expected text, found"),
        ({"data": "no base64!"}, "no foxglove.RawImage"),
        ({"data": ""}, "needs 144 bytes, found 0"),
    ],
)
def test_json_that_is_not_the_schema_is_named(json_channel, change, says):
    message = json.loads(in_json(raw_values(PIXELS, "rgb8"))) | change
    with pytest.raises(DecodeError, match=says):
        image_decoder(json_channel("foxglove.RawImage"))(json.dumps(message).encode())


@pytest.mark.parametrize("data", [b"", b"[]", b"nothing", b'{"width": 8'])
def test_json_that_is_no_message_is_named(json_channel, data):
    with pytest.raises(DecodeError, match="/topic"):
        image_decoder(json_channel("foxglove.RawImage"))(data)


def test_a_schema_that_is_none_is_named(foxglove):
    channel = foxglove.channel("foxglove.RawImage")
    for schema_data in (b"", b"\xff\xff\xff", b"text"):
        broken = type(channel)(0, "/topic", channel.schema_name, "protobuf", schema_data, "protobuf")
        with pytest.raises(DecodeError, match="/topic"):
            image_decoder(broken)
