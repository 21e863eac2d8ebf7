"""One field of a channel's messages → numbers, against the values that were written."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import signal_decoder

ODOMETRY = "nav_msgs/msg/Odometry"


def test_fields_of_a_ros_message(wire):
    values = {
        "child_frame_id": "base",
        "pose": {"pose": {"position": {"x": 1.0, "y": 2.0, "z": 3.0}}, "covariance": np.arange(36.0)},
    }
    data = wire.pack(ODOMETRY, values)
    channel = wire.channel(ODOMETRY)
    for field, expected in (
        ("pose.pose.position", [1, 2, 3]),
        ("pose.covariance[6:9]", [6, 7, 8]),
        ("pose.covariance[35]", [35]),
        ("pose", [1, 2, 3, 0, 0, 0, 0, *range(36)]),
    ):
        values = signal_decoder(channel, field)(data)
        assert values.dtype == np.float64
        assert values.tolist() == expected


@pytest.mark.parametrize("kind", ["bool", "uint8", "int8", "int16", "uint16", "int32", "int64", "float32", "float64"])
@pytest.mark.parametrize("shape", ["", "[3]", "[]"])
def test_every_kind_of_number(wire, kind, shape):
    name = "test_msgs/msg/Numbers"
    wire = wire.with_type(name, f"string label\n{kind}{shape} value\n")
    value = 1 if not shape else [0, 1, 1]
    data = wire.pack(name, {"label": "odd", "value": value})
    assert signal_decoder(wire.channel(name), "value")(data).tolist() == ([1] if not shape else [0, 1, 1])


def test_transforms_of_a_list(wire):
    name = "tf/msg/tfMessage"
    wire = wire.with_type(name, "geometry_msgs/TransformStamped[] transforms\n")
    parts = [{"child_frame_id": "c", "transform": {"translation": {"x": n, "y": 0, "z": n}}} for n in range(3)]
    data = wire.pack(name, {"transforms": parts})
    assert signal_decoder(wire.channel(name), "transforms[2].transform.translation")(data).tolist() == [2, 0, 2]
    with pytest.raises(DecodeError, match="expected at least 4 elements, found 3"):
        signal_decoder(wire.channel(name), "transforms[3].transform")(data)


def test_errors_carry_the_topic(cdr):
    channel = cdr.channel(ODOMETRY, topic="/odom")
    with pytest.raises(DecodeError, match=r"channel /odom: 'pose..x' is no path"):
        signal_decoder(channel, "pose..x")
    with pytest.raises(DecodeError, match="channel /odom: `twisted`: no `twisted` in the message"):
        signal_decoder(channel, "twisted")(cdr.pack(ODOMETRY, {}))
    with pytest.raises(DecodeError, match="channel /odom"):
        signal_decoder(channel, "pose")(b"\x00\x01")


@settings(max_examples=80)
@given(cut=st.integers(0, 10_000), flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4))
def test_damage_is_named_or_gives_numbers_never_anything_else(wire, cut, flips):
    name = "sensor_msgs/msg/JointState"
    data = bytearray(
        wire.pack(name, {"header": {"frame_id": "arm"}, "name": ["a", "b"], "position": [1, 2], "velocity": [3, 4]})
    )
    for at, bits in flips:
        data[at % len(data)] ^= bits
    try:
        values = signal_decoder(wire.channel(name), "position", names=("a", "b"))(bytes(data[: cut % (len(data) + 1)]))
    except DecodeError:
        return
    assert values.shape == (2,)
