"""The inventory's entry for a channel."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bagmill.messages import ChannelContent, describe

IMAGE = "sensor_msgs/msg/Image"
COMPRESSED = "sensor_msgs/msg/CompressedImage"


def image(wire, encoding, num_bytes, *, height=2, width=4):
    return wire.pack(
        IMAGE,
        {
            "height": height,
            "width": width,
            "encoding": encoding,
            "step": width * num_bytes,
            "data": np.zeros(height * width * num_bytes),
        },
    )


@pytest.mark.parametrize(
    ("encoding", "num_bytes", "kind"),
    [
        ("rgb8", 3, "image"),
        ("bgr8", 3, "image"),
        ("mono8", 1, "image"),
        ("bayer_rggb8", 1, "image"),
        ("yuv422_yuy2", 2, "image"),
        ("16UC1", 2, "depth"),
        ("mono16", 2, "depth"),
        ("32FC1", 4, "depth"),
    ],
)
def test_pictures_are_told_from_depth_by_their_encoding(wire, encoding, num_bytes, kind):
    content = describe(wire.channel(IMAGE), image(wire, encoding, num_bytes))
    assert content == ChannelContent(kind, encoding=encoding, height=2, width=4)


@pytest.mark.parametrize(
    ("pixels", "kind"),
    [
        (np.zeros((3, 5, 3), np.uint8), "image"),
        (np.zeros((3, 5), np.uint8), "image"),
        (np.zeros((3, 5), np.uint16), "depth"),
    ],
)
def test_pngs_are_told_apart_by_their_bits(wire, pixels, kind):
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, format="PNG")
    data = wire.pack(COMPRESSED, {"format": "png", "data": list(file.getvalue())})
    assert describe(wire.channel(COMPRESSED), data) == ChannelContent(kind, encoding="png", height=3, width=5)


def test_a_png_with_16_bits_a_colour_is_refused(cdr):
    file = io.BytesIO()
    Image.fromarray(np.zeros((3, 5, 3), np.uint8)).save(file, format="PNG")
    png = bytearray(file.getvalue())
    png[24] = 16  # the header's bit depth
    content = describe(cdr.channel(COMPRESSED), cdr.pack(COMPRESSED, {"format": "png", "data": list(png)}))
    assert content.kind == "none"
    assert content.problem == "a PNG of 16 bits a colour channel cannot be stored (Record it with 8 bits)"


def test_jpegs_are_pictures(wire):
    file = io.BytesIO()
    Image.new("RGB", (16, 8)).save(file, format="JPEG")
    data = wire.pack(COMPRESSED, {"format": "jpeg", "data": list(file.getvalue())})
    assert describe(wire.channel(COMPRESSED), data) == ChannelContent("image", encoding="jpeg", height=8, width=16)


def test_numbers_come_with_their_fields_and_joints(wire):
    name = "sensor_msgs/msg/JointState"
    data = wire.pack(name, {"name": ["a", "b"], "position": [1, 2], "effort": [3, 4]})
    content = describe(wire.channel(name), data)
    assert (content.kind, content.fields, content.names) == ("numeric", {"position": 2, "effort": 2}, ("a", "b"))
    assert content.types["position"] == content.types["velocity"] == "float64[]"
    assert content.example["name"] == ["a", "b"]
    assert content.example["position"] == [0, 0]


@pytest.mark.parametrize("name", ["std_msgs/msg/String", "std_msgs/msg/Empty", "std_msgs/msg/Header"])
def test_nothing_to_train_on_is_no_problem(wire, name):
    content = describe(wire.channel(name), wire.pack(name, {}))
    assert (content.kind, content.problem, content.fields) == ("none", None, {})


def test_a_damaged_first_picture_says_what_is_wrong(wire):
    damaged = wire.pack(IMAGE, {"height": 480, "width": 640, "encoding": "rgb8", "step": 1920, "data": np.zeros(30)})
    content = describe(wire.channel(IMAGE), damaged)
    assert content.kind == "none"
    assert content.problem.startswith("640×480 rgb8 in rows of 1920 bytes needs 921600 bytes, found 30 (")


def test_what_cannot_be_decoded_at_all_says_why(cdr, json_channel):
    other = replace(cdr.channel(IMAGE), message_encoding="flatbuffer")
    assert "message encoding 'flatbuffer' cannot be decoded" in describe(other, b"").problem
    video = json_channel("foxglove.CompressedVideo")
    assert "is video" in describe(video, b"{}").problem
    assert describe(json_channel("x"), b"{").kind == "none"
    assert describe(json_channel("x"), json.dumps([1, 2]).encode()) == ChannelContent("none")


@given(data=st.binary(max_size=80), head=st.sampled_from([b"", b"\x00\x01\x00\x00", b"{", b"\xff\xd8\xff"]))
def test_it_never_raises(wire, foxglove, json_channel, data, head):
    channels = [wire.channel(name) for name in (IMAGE, COMPRESSED, "sensor_msgs/msg/JointState")]
    channels += [foxglove.channel("foxglove.RawImage"), foxglove.channel("foxglove.PoseInFrame")]
    channels += [json_channel("foxglove.RawImage"), json_channel("foxglove.CompressedImage"), json_channel("x")]
    channels += [
        replace(channels[0], schema_data=data, message_encoding="ros1"),
        replace(channels[2], schema_data=data),
    ]
    for channel in channels:
        assert isinstance(describe(channel, head + data), ChannelContent)


def test_json_numbers_are_whole_where_the_schema_says_so(json_channel):
    schema = {
        "properties": {
            "mode": {"type": "integer"},
            "x": {"type": "number"},
            "on": {"type": "boolean"},
            "counts": {"type": "array", "items": {"type": "integer"}},
            "motors": {"type": "array", "items": {"properties": {"id": {"type": "integer"}}}},
            "wrong": {"type": "integer"},
        }
    }
    channel = replace(json_channel("x"), schema_encoding="jsonschema", schema_data=json.dumps(schema).encode())
    message = {"mode": 3, "x": 1, "on": True, "counts": [1, 2], "motors": [{"id": 7}], "wrong": 0.5}
    assert describe(channel, json.dumps(message).encode()).types == {
        "mode": "int64",
        "x": "float64",
        "on": "bool",
        "counts": "int64[]",
        "motors[:].id": "int64",
        "wrong": "float64",
    }
    untold = replace(channel, schema_data=b"no schema")
    assert describe(untold, json.dumps(message).encode()).types["mode"] == "float64"
