"""What is found by layout is what the decoder finds: never another picture, never part of one."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bagmill.errors import DecodeError
from bagmill.messages import UsualJpeg, image_decoder
from bagmill.recordings.records import Channel
from bagmill.testing.messages import Dialect, SampleMessage, serialise

COMPRESSED = "sensor_msgs/msg/CompressedImage"
DIALECTS: tuple[Dialect, ...] = ("ros1", "ros2")


def _jpeg(seed: int, *, height: int = 24, **options: Any) -> bytes:
    rows, columns = np.mgrid[:height, :32]
    rgb = np.stack([rows * 5 + seed, columns * 4, (rows + seed) * columns % 251], axis=-1).astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "JPEG", **{"quality": 80, **options})
    return file.getvalue()


def _message(file: bytes, n: int, dialect: Dialect, *, format_text: str = "jpeg", frame_id: str = "cam") -> bytes:
    values = {"header": {"frame_id": frame_id}, "format": format_text, "data": file}
    return serialise(SampleMessage("/c", COMPRESSED, values, 0, header_ns=10**18 + n * 10**9 + n), dialect=dialect)


def _channel(dialect: Dialect, schema_name: str = COMPRESSED) -> Channel:
    return Channel(0, "/c", schema_name, "", b"", "ros1" if dialect == "ros1" else "cdr")


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("frame_id", ["", "cam", "camera_optical_frame"])
def test_messages_like_the_example_need_no_decoder(dialect: Dialect, frame_id: str) -> None:
    usual = UsualJpeg(_channel(dialect))
    files = [_jpeg(n) for n in range(20)]
    messages = [_message(file, n, dialect, frame_id=frame_id) for n, file in enumerate(files)]
    assert len(set(map(len, files))) > 1
    assert usual.find(messages[0]) is None, "nothing is known yet"
    usual.learn(messages[3])
    assert [bytes(found) for message in messages if (found := usual.find(message)) is not None] == files


@pytest.mark.parametrize("dialect", DIALECTS)
def test_another_picture_is_not_found(dialect: Dialect) -> None:
    usual = UsualJpeg(_channel(dialect))
    usual.learn(_message(_jpeg(1), 1, dialect))
    others = [
        _message(_jpeg(2, height=40), 2, dialect),
        _message(_jpeg(2, quality=50), 2, dialect),
        _message(_jpeg(2), 2, dialect, format_text="rgb8"),
        _message(_jpeg(2), 2, dialect, format_text="16UC1; compressedDepth jpeg"),
        _message(_jpeg(2), 2, dialect, frame_id="arm"),
        _message(_jpeg(2)[:-40], 2, dialect),
        _message(_jpeg(2) + b"\0", 2, dialect),
        _message(_jpeg(2), 2, dialect) + b"\0\0\0\0",
        b"",
    ]
    assert [usual.find(message) for message in others] == [None] * len(others)
    usual.learn(others[0])
    assert usual.find(_message(_jpeg(3, height=40), 3, dialect)) is not None


@settings(max_examples=300)
@given(data=st.data())
@pytest.mark.parametrize("dialect", DIALECTS)
def test_whatever_is_found_is_what_the_decoder_finds(dialect: Dialect, data: st.DataObject) -> None:
    channel = _channel(dialect)
    usual, decode = UsualJpeg(channel), image_decoder(channel)
    usual.learn(_message(_jpeg(1), 1, dialect))
    message = bytearray(_message(_jpeg(2), 2, dialect))
    header_end = len(message) - len(_jpeg(2)) + 650
    for _ in range(data.draw(st.integers(0, 3))):
        near = data.draw(st.sampled_from([(0, 60), (0, header_end), (len(message) - 8, len(message) - 1)]))
        message[data.draw(st.integers(*near)) % len(message)] = data.draw(st.integers(0, 255))
    damaged = bytes(message[: data.draw(st.one_of(st.none(), st.integers(0, len(message))))])
    found = usual.find(damaged)
    try:
        image = decode(damaged)
    except DecodeError:
        assert found is None
        return
    if found is not None:
        assert bytes(found) == bytes(image.data)
        assert (image.encoding, image.height, image.width) == ("jpeg", 24, 32)
        assert bytes(found[-2:]) == b"\xff\xd9"


def test_channels_whose_jpeg_has_no_fixed_place_are_left_to_the_decoder() -> None:
    usual = UsualJpeg(Channel(0, "/c", "foxglove.CompressedImage", "protobuf", b"", "protobuf"))
    usual.learn(b"\x0a\x02hi")
    assert usual.find(b"\x0a\x02hi") is None


def test_not_every_message_of_a_restless_camera_is_taken_as_an_example() -> None:
    usual = UsualJpeg(_channel("ros2"))
    for n in range(40):
        usual.learn(_message(_jpeg(n, quality=30 + n), n, "ros2"))
    latest = [n for n in range(40) if usual.find(_message(_jpeg(5, quality=30 + n), 0, "ros2")) is not None]
    assert latest == [15]
