"""sensor_msgs/Image against rosbags' own serialisation."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import image_decoder, to_depth, to_rgb

IMAGE = "sensor_msgs/msg/Image"


def values(pixels, *, encoding, step=None, is_bigendian=0, frame_id="camera"):
    height, width = pixels.shape[:2]
    rows = pixels.reshape(height, -1).view(np.uint8)
    step = step or rows.shape[1]
    padded = np.full((height, step), 0xEE, np.uint8)
    padded[:, : rows.shape[1]] = rows
    return {
        "header": {"stamp": {"sec": 1, "nanosec": 2}, "frame_id": frame_id},
        "height": height,
        "width": width,
        "encoding": encoding,
        "is_bigendian": is_bigendian,
        "step": step,
        "data": padded.ravel(),
    }


@settings(max_examples=60)
@given(data=st.data())
def test_any_size_padding_and_frame_name_comes_back(wire, data):
    height, width = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 9))
    padding = data.draw(st.integers(0, 7))
    # The frame's name moves everything behind it, so that every alignment occurs.
    frame_id = data.draw(st.text(max_size=9))
    left_over = data.draw(st.binary(max_size=6))
    is_depth = data.draw(st.booleans())
    rng = np.random.default_rng(data.draw(st.integers(0, 1000)))
    if is_depth:
        is_bigendian = data.draw(st.booleans())
        pixels = rng.integers(0, 65536, (height, width)).astype(">u2" if is_bigendian else "<u2")
        message = values(
            pixels, encoding="16UC1", step=width * 2 + padding, is_bigendian=is_bigendian, frame_id=frame_id
        )
    else:
        pixels = rng.integers(0, 256, (height, width, 3), np.uint8)
        message = values(pixels, encoding="rgb8", step=width * 3 + padding, frame_id=frame_id)
    payload = image_decoder(wire.channel(IMAGE))(wire.pack(IMAGE, message) + left_over)
    assert (payload.height, payload.width, payload.step) == (height, width, message["step"])
    decoded = to_depth(payload) if is_depth else to_rgb(payload)
    assert np.array_equal(decoded, pixels)


@settings(max_examples=60)
@given(data=st.data())
def test_a_message_cut_anywhere_is_named_or_whole(wire, data):
    pixels = np.arange(5 * 4 * 3, dtype=np.uint8).reshape(5, 4, 3)
    whole = wire.pack(IMAGE, values(pixels, encoding="rgb8", step=13))
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(DecodeError, match="/topic"):
        image_decoder(wire.channel(IMAGE))(whole[:cut])


def test_the_pixels_are_a_view_of_the_payload(cdr):
    pixels = np.zeros((4, 4, 3), np.uint8)
    data = bytearray(cdr.pack(IMAGE, values(pixels, encoding="rgb8")))
    rgb = to_rgb(image_decoder(cdr.channel(IMAGE))(memoryview(data)))
    data[-1] = 77
    assert rgb[3, 3, 2] == 77


def test_padding_left_away_behind_the_last_row_is_fine(wire):
    pixels = np.arange(3 * 2 * 3, dtype=np.uint8).reshape(3, 2, 3)
    message = values(pixels, encoding="rgb8", step=8)
    message["data"] = message["data"][:-2]
    assert np.array_equal(to_rgb(image_decoder(wire.channel(IMAGE))(wire.pack(IMAGE, message))), pixels)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"data": np.zeros(30, np.uint8)}, "4×5 rgb8 in rows of 12 bytes needs 60 bytes, found 30"),
        ({"step": 11}, "4 pixels of rgb8 need 12 bytes a row, but the message says its rows are 11 bytes apart"),
        ({"step": 0}, "need 12 bytes a row, but the message says its rows are 0 bytes apart"),
        ({"height": 0}, "4×0 pixels"),
        (
            {"width": 0xFFFF_FFFF, "height": 0xFFFF_FFFF, "step": 0xFFFF_FFFF},
            "is 18,446,744,065,119,617,025 where at most",
        ),
        ({"encoding": "rgb9"}, "'rgb9' cannot be decoded.*Supported: mono8"),
        ({"encoding": ""}, "'' cannot be decoded"),
    ],
)
def test_sizes_that_do_not_fit_are_told(wire, change, says):
    message = values(np.zeros((5, 4, 3), np.uint8), encoding="rgb8") | change
    with pytest.raises(DecodeError, match=says):
        image_decoder(wire.channel(IMAGE))(wire.pack(IMAGE, message))


def test_an_unknown_cdr_representation_is_refused(cdr):
    data = bytearray(cdr.pack(IMAGE, values(np.zeros((2, 2, 3), np.uint8), encoding="rgb8")))
    data[1] = 7
    with pytest.raises(DecodeError, match="0x0007 is not supported"):
        image_decoder(cdr.channel(IMAGE))(data)


def test_an_encoding_that_is_no_text_is_damage(cdr):
    data = cdr.pack(IMAGE, values(np.zeros((2, 2, 3), np.uint8), encoding="rgb8")).replace(b"rgb8", b"\xff\xfe\xfd\xfc")
    with pytest.raises(DecodeError, match="/topic"):
        image_decoder(cdr.channel(IMAGE))(data)


def test_channels_that_are_no_pictures_are_refused(cdr, json_channel):
    with pytest.raises(DecodeError, match=r"sensor_msgs/msg/Imu are no pictures.*Supported: sensor_msgs/msg/Image"):
        image_decoder(cdr.channel("sensor_msgs/msg/Imu"))
    with pytest.raises(DecodeError, match=r"message encoding 'json' cannot be decoded. Supported: cdr, ros1"):
        image_decoder(json_channel(IMAGE))
    with pytest.raises(DecodeError, match="is video"):
        image_decoder(json_channel("foxglove.CompressedVideo"))
