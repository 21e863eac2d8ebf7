"""What counts as numbers in a message."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages.dynamic import message_decoder
from bagmill.messages.field_path import follow, parse_field_path
from bagmill.messages.numeric import MAX_NUMBERS, numbers_of, numeric_fields

POSE = {"position": {"x": 1.0, "y": 2.0, "z": 3.0}, "orientation": {"x": 0.1, "y": 0.2, "z": 0.3, "w": 0.9}}


def test_leaves_and_composites_in_the_order_of_the_definition(wire):
    name = "geometry_msgs/msg/PoseStamped"
    data = wire.pack(name, {"header": {"stamp": {"sec": 5}, "frame_id": "map"}, "pose": POSE})
    message = message_decoder(wire.channel(name))(data)
    assert numeric_fields(message) == {
        "pose": 7,
        "pose.position": 3,
        "pose.position.x": 1,
        "pose.position.y": 1,
        "pose.position.z": 1,
        "pose.orientation": 4,
        "pose.orientation.x": 1,
        "pose.orientation.y": 1,
        "pose.orientation.z": 1,
        "pose.orientation.w": 1,
    }
    assert list(numeric_fields(message))[:3] == ["pose", "pose.position", "pose.position.x"]
    assert numbers_of(message.pose).tolist() == [1, 2, 3, 0.1, 0.2, 0.3, 0.9]


def test_constants_text_and_blobs_are_not_numbers(wire):
    name = "test_msgs/msg/Mixed"
    wire = wire.with_type(
        name, "uint8 LIMIT=7\nstring label\nbool ready\nint64 count\nstring[] tags\nfloat32[3] axis\n"
    )
    data = wire.pack(name, {"label": "x", "ready": True, "count": -3, "tags": ["a", "b"], "axis": [1, 2, 3]})
    message = message_decoder(wire.channel(name))(data)
    assert numeric_fields(message) == {"ready": 1, "count": 1, "axis": 3}


def test_fields_called_like_python_keywords_keep_their_name(wire):
    name = "test_msgs/msg/Keywords"
    wire = wire.with_type(name, "float64 lambda\nfloat64 from\n")
    store_values = {"lambda": 1.5, "from": 2.5}
    built = wire.store.types[name](lambda_=1.5, from_=2.5)
    serialise = wire.store.serialize_ros1 if wire.is_ros1 else wire.store.serialize_cdr
    message = message_decoder(wire.channel(name))(bytes(serialise(built, name)))
    assert numeric_fields(message) == dict.fromkeys(store_values, 1)
    assert [numbers_of(follow(message, parse_field_path(path))).item() for path in store_values] == [1.5, 2.5]


def test_a_signalling_nan_is_a_number():
    values = np.array([0x7F800001, 0x3F800000], np.uint32).view(np.float32)
    numbers = numbers_of(values)
    assert np.isnan(numbers[0])
    assert numbers[1] == 1


def test_big_arrays_and_long_lists_are_left_out(cdr):
    name = "std_msgs/msg/UInt8MultiArray"
    decode = message_decoder(cdr.channel(name))
    assert "data" in numeric_fields(decode(cdr.pack(name, {"data": np.zeros(MAX_NUMBERS)})))
    assert "data" not in numeric_fields(decode(cdr.pack(name, {"data": np.zeros(MAX_NUMBERS + 1)})))
    path = "geometry_msgs/msg/PoseArray"
    fields = numeric_fields(message_decoder(cdr.channel(path))(cdr.pack(path, {"poses": [POSE] * 65})))
    assert fields == {"poses": 65 * 7}


def test_empty_arrays_are_left_out(cdr):
    name = "sensor_msgs/msg/JointState"
    message = message_decoder(cdr.channel(name))(cdr.pack(name, {"name": ["a"], "position": [1.0]}))
    assert numeric_fields(message) == {"position": 1}


def test_protobuf_fields_that_are_not_set_are_nobodys_measurement(foxglove):
    name = "foxglove.PoseInFrame"
    decode = message_decoder(foxglove.channel(name))
    empty = decode(foxglove.message(name, frame_id="map").SerializeToString())
    assert numeric_fields(empty) == {}
    with pytest.raises(DecodeError, match="no `pose` in the message"):
        follow(empty, parse_field_path("pose.position"))
    data = foxglove.message(
        name, timestamp={"seconds": 4}, pose={"position": {"x": 1, "z": 3}, "orientation": {"w": 1}}
    ).SerializeToString()
    fields = numeric_fields(decode(data))
    assert {path: fields[path] for path in ("pose", "pose.position", "pose.orientation.w")} == {
        "pose": 7,
        "pose.position": 3,
        "pose.orientation.w": 1,
    }
    assert numbers_of(decode(data).pose).tolist() == [1, 0, 3, 0, 0, 0, 1]


def test_json_stamps_and_headers_are_left_out(json_channel):
    message = {
        "header": {"stamp": {"sec": 1, "nanosec": 2}, "frame_id": "x", "seq": 4},
        "timestamp": {"sec": 1, "nsec": 2},
        "stamp_and_more": {"stamp": {"secs": 1, "nsecs": 2}, "value": 3},
        "buttons": {},
        "nothing": None,
        "two words": 5,
        "inner": {"two words": 6, "one": 7},
    }
    decoded = message_decoder(json_channel("robot.State"))(json.dumps(message).encode())
    assert numeric_fields(decoded) == {"stamp_and_more": 1, "stamp_and_more.value": 1, "inner": 2, "inner.one": 1}


def test_numbers_are_a_copy_of_the_payload(cdr):
    name = "std_msgs/msg/Float64MultiArray"
    data = bytearray(cdr.pack(name, {"data": [1.0, 2.0]}))
    numbers = numbers_of(message_decoder(cdr.channel(name))(memoryview(data)).data)
    data[-8:] = bytes(8)
    assert numbers.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("value", ["text", b"blob", None, {"sec": 1, "nanosec": 2}])
def test_a_leaf_that_is_no_number_is_named(value):
    with pytest.raises(DecodeError, match="expected numbers, found"):
        numbers_of(value)


def test_gaps_and_numbers_beyond_float64_are_named():
    with pytest.raises(DecodeError, match="a list of 3 with nothing in some places"):
        numbers_of([1.0, None, 3.0])
    with pytest.raises(DecodeError, match="too large for a float64"):
        numbers_of(10**400)


def whole_numbers(value):
    """All that stand anywhere in a value of JSON."""
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [number for each in inner for number in whole_numbers(each)]
    return [value] if isinstance(value, int) else []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["a", "b", "sec", "nsec", "stamp", "x y", "a.b"]), inner, max_size=4)
    ),
    max_leaves=20,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "c d", "e"]), json_values, max_size=4))
def test_what_is_listed_can_be_decoded_and_has_that_many_numbers(message):
    for path, count in numeric_fields(message).items():
        value = follow(message, parse_field_path(path))
        if isinstance(value, list) and None in value:
            with pytest.raises(DecodeError):
                numbers_of(value)
            continue
        try:
            numbers = numbers_of(value)
        except DecodeError as err:
            assert "which float64 does not hold exactly" in str(err)
            assert any(int(float(number)) != number for number in whole_numbers(value))
        else:
            assert len(numbers) == count


def test_fields_with_names_without_end_are_not_listed():
    assert numeric_fields({"q_" * 50_000: 1.0, "a": [1.0, 2.0]}) == {"a": 2}


def test_a_whole_number_that_float64_rounds_to_the_largest_exact_one_is_refused():
    assert numbers_of(2**53).tolist() == [2.0**53]
    for value in (2**53 + 1, -(2**53) - 1, np.array([1, 2**53 + 1], np.uint64)):
        with pytest.raises(DecodeError, match="which float64 does not hold exactly"):
            numbers_of(value)
    assert numbers_of(2**53 + 2).tolist() == [2.0**53 + 2]
