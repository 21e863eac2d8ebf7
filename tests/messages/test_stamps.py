"""Header stamps, against what rosbags and google.protobuf wrote."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import header_stamp_reader
from bagmill.messages.ros_stamps import find_stamp, walk_to_stamp

STAMP_NS = 1_700_000_000_123_456_789
STAMP = {"sec": 1_700_000_000, "nanosec": 123_456_789}
HEADER = {"stamp": STAMP, "frame_id": "camera"}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("sensor_msgs/msg/Image", {"header": HEADER, "data": [1, 2, 3]}),
        ("sensor_msgs/msg/JointState", {"header": HEADER, "name": ["a"]}),
        ("geometry_msgs/msg/PoseStamped", {"header": HEADER}),
        ("std_msgs/msg/Header", HEADER),
        ("visualization_msgs/msg/MarkerArray", {"markers": [{"header": HEADER}]}),
    ],
)
def test_the_stamp_of_a_header(wire, name, values):
    assert header_stamp_reader(wire.channel(name))(wire.pack(name, values)) == STAMP_NS


def test_a_list_has_the_stamp_of_its_first_and_none_without(wire):
    name = "tf/msg/tfMessage"
    wire = wire.with_type(name, "geometry_msgs/TransformStamped[] transforms\n")
    read = header_stamp_reader(wire.channel(name))
    assert read(wire.pack(name, {"transforms": [{"header": HEADER}, {}]})) == STAMP_NS
    assert read(wire.pack(name, {})) is None


@pytest.mark.parametrize("name", ["std_msgs/msg/String", "geometry_msgs/msg/Twist", "std_msgs/msg/Float64MultiArray"])
def test_schemas_without_a_stamp_have_no_reader(wire, name):
    assert header_stamp_reader(wire.channel(name)) is None


def test_seconds_are_unsigned_in_ros_1_and_signed_in_ros_2(cdr, ros1):
    name = "std_msgs/msg/Header"
    late = ros1.pack(name, {"stamp": {"sec": 0, "nanosec": 5}})
    late = late[:4] + b"\xff\xff\xff\xff" + late[8:]
    assert header_stamp_reader(ros1.channel(name))(late) == (2**32 - 1) * 10**9 + 5
    early = cdr.pack(name, {"stamp": {"sec": -1, "nanosec": 5}})
    assert header_stamp_reader(cdr.channel(name))(early) == -(10**9) + 5


def test_a_time_that_is_not_called_stamp_counts_only_in_first_place(wire):
    first = wire.with_type("test_msgs/msg/First", "builtin_interfaces/Time seen\nuint8 x\n")
    data = first.pack("test_msgs/msg/First", {"seen": STAMP})
    assert header_stamp_reader(first.channel("test_msgs/msg/First"))(data) == STAMP_NS
    later = wire.with_type("test_msgs/msg/Later", "uint8 x\nbuiltin_interfaces/Time seen\n")
    assert header_stamp_reader(later.channel("test_msgs/msg/Later")) is None


PARTS = {
    "bool": st.booleans(),
    "uint8": st.integers(0, 255),
    "int16": st.integers(-5, 5),
    "float64": st.floats(-1, 1),
    "string": st.text(max_size=9),
    "uint16[3]": st.lists(st.integers(0, 9), min_size=3, max_size=3),
    "uint8[]": st.lists(st.integers(0, 9), max_size=5),
    "float64[]": st.lists(st.floats(-1, 1), max_size=3),
    "float64[<=4]": st.lists(st.floats(-1, 1), max_size=4),
    "string[]": st.lists(st.text(max_size=3), max_size=3),
    "string[2]": st.lists(st.text(max_size=3), min_size=2, max_size=2),
    "geometry_msgs/Point": st.just({"x": 1.0}),
    "geometry_msgs/Point[]": st.lists(st.just({"y": 1.0}), max_size=3),
    "std_msgs/String[]": st.lists(st.fixed_dictionaries({"data": st.text(max_size=3)}), max_size=3),
    "std_msgs/Empty": st.just({}),
    "std_msgs/Empty[2]": st.just([{}, {}]),
}


@settings(max_examples=60)
@given(kinds=st.lists(st.sampled_from(sorted(PARTS)), max_size=5), data=st.data())
def test_whatever_stands_before_the_header_is_stepped_over(wire, kinds, data):
    name = "test_msgs/msg/Behind"
    if wire.is_ros1:
        kinds = [kind for kind in kinds if "<=" not in kind]
    definition = "".join(f"{kind} part{n}\n" for n, kind in enumerate(kinds)) + "std_msgs/Header header\nuint8 last\n"
    wire = wire.with_type(name, definition)
    values = {f"part{n}": data.draw(PARTS[kind]) for n, kind in enumerate(kinds)}
    payload = wire.pack(name, {**values, "header": HEADER, "last": 1})
    message = wire.unpack(name, payload)
    expected = message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
    channel = wire.channel(name)
    assert header_stamp_reader(channel)(payload) == expected == STAMP_NS
    # The way through the fields gives what the fixed offset gives.
    way = find_stamp(wire.store, name, message_encoding=channel.message_encoding)
    assert walk_to_stamp(payload, way, wire.store, message_encoding=channel.message_encoding) == expected
    # Cut anywhere before the stamp's end it is named, and never read wrongly.
    cut = data.draw(st.integers(0, len(payload) - 1))
    try:
        assert header_stamp_reader(channel)(payload[:cut]) == expected
    except DecodeError as err:
        assert err.channel == "/topic"


@pytest.mark.parametrize("shape", ["", "[2]", "[]"])
@pytest.mark.parametrize("before", ["", "uint8 a\nuint16 b\n", "float64 a\nuint8 b\n", "string a\n"])
def test_a_stamp_inside_the_first_field_at_every_cut(wire, before, shape):
    name = "test_msgs/msg/Outer"
    inner = f"{'=' * 80}\nMSG: test_msgs/Inner\n{before}std_msgs/Header header\n"
    wire = wire.with_type(name, f"test_msgs/Inner{shape} inner\nuint8 last\n{inner}")
    channel = wire.channel(name)
    items = {"": {"header": HEADER}, "[2]": [{"header": HEADER}, {}], "[]": [{"header": HEADER}]}[shape]
    read = header_stamp_reader(channel)
    payload = wire.pack(name, {"inner": items})
    assert read(payload) == STAMP_NS
    way = find_stamp(wire.store, name, message_encoding=channel.message_encoding)
    for cut in range(len(payload)):
        try:
            expected = walk_to_stamp(payload[:cut], way, wire.store, message_encoding=channel.message_encoding)
        except DecodeError:
            with pytest.raises(DecodeError, match="/topic"):
                read(payload[:cut])
        else:
            assert read(payload[:cut]) == expected == STAMP_NS
    if shape == "[]":
        assert read(wire.pack(name, {})) is None


def test_a_byte_order_that_is_none_is_named(cdr):
    payload = cdr.pack("std_msgs/msg/Header", HEADER)
    with pytest.raises(DecodeError, match="CDR representation 0x0003 is not supported"):
        header_stamp_reader(cdr.channel("std_msgs/msg/Header"))(b"\x00\x03" + payload[2:])


def test_only_the_stamp_is_read(wire):
    name = "sensor_msgs/msg/Image"
    payload = wire.pack(name, {"header": HEADER, "data": np.zeros(100)})
    assert header_stamp_reader(wire.channel(name))(payload[:20]) == STAMP_NS


def test_a_definition_that_cannot_be_read_gives_no_reader(cdr):
    channel = cdr.channel("std_msgs/msg/Header")
    broken = type(channel)(0, "/topic", channel.schema_name, "ros2msg", b"Garbage header\n", "cdr")
    assert header_stamp_reader(broken) is None
    other = type(channel)(0, "/topic", channel.schema_name, "ros2msg", channel.schema_data, "flatbuffer")
    assert header_stamp_reader(other) is None


PROTO_STAMP = {"seconds": STAMP["sec"], "nanos": STAMP["nanosec"]}


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("foxglove.RawImage", {"timestamp": PROTO_STAMP, "data": b"\x08" * 1000, "frame_id": "x"}),
        ("foxglove.PoseInFrame", {"timestamp": PROTO_STAMP, "pose": {"position": {"x": 1}}}),
        ("foxglove.FrameTransforms", {"transforms": [{"timestamp": PROTO_STAMP}, {"timestamp": {"seconds": 1}}]}),
    ],
)
def test_the_stamp_of_a_protobuf_message(foxglove, name, values):
    data = foxglove.message(name, **values).SerializeToString()
    assert header_stamp_reader(foxglove.channel(name))(data) == STAMP_NS


def test_protobuf_stamps_that_are_not_set_are_none_and_empty_ones_zero(foxglove):
    read = header_stamp_reader(foxglove.channel("foxglove.PoseInFrame"))
    assert read(b"") is None
    assert read(foxglove.message("foxglove.PoseInFrame", timestamp={}).SerializeToString()) == 0
    assert header_stamp_reader(foxglove.channel("foxglove.FrameTransforms"))(b"") is None
    assert header_stamp_reader(foxglove.channel("foxglove.Vector3")) is None


def test_protobuf_stamps_in_a_header_and_of_other_makes(proto_file):
    double, int32, uint32 = 1, 5, 13  # FieldDescriptorProto.Type
    types = proto_file(
        "robot",
        {
            "Time": [("sec", 1, int32, False), ("nanosec", 2, uint32, False)],
            "Header": [("frame_id", 1, 9, False), ("stamp", 2, ".robot.Time", False)],
            "State": [("data", 1, 12, False), ("header", 5, ".robot.Header", False), ("value", 6, double, False)],
            "Range": [("timestamp", 1, double, False)],
        },
    )
    values = {"data": b"x" * 300, "header": {"frame_id": "arm", "stamp": STAMP}, "value": 1.5}
    data = types.message("robot.State", **values).SerializeToString()
    assert header_stamp_reader(types.channel("robot.State"))(data) == STAMP_NS
    before = types.message("robot.State", header={"stamp": {"sec": -2, "nanosec": 7}}).SerializeToString()
    assert header_stamp_reader(types.channel("robot.State"))(before) == -2 * 10**9 + 7
    # By protobuf's rules the pieces of a message given twice are merged.
    halves = [types.message("robot.State", header={"stamp": {part: STAMP[part]}}) for part in STAMP]
    joined = b"".join(half.SerializeToString() for half in halves)
    assert header_stamp_reader(types.channel("robot.State"))(joined) == STAMP_NS
    assert header_stamp_reader(types.channel("robot.Range")) is None


@given(cut=st.integers(0, 200), at=st.integers(0, 200), bits=st.integers(0, 255))
def test_damaged_protobuf_is_named_or_a_stamp(foxglove, cut, at, bits):
    data = bytearray(foxglove.message("foxglove.RawImage", timestamp=PROTO_STAMP, data=b"x" * 20).SerializeToString())
    data[at % len(data)] ^= bits
    try:
        stamp = header_stamp_reader(foxglove.channel("foxglove.RawImage"))(bytes(data[: cut % (len(data) + 1)]))
    except DecodeError:
        return
    assert stamp is None or -(2**63) <= stamp < 2**63


def test_a_stamp_beyond_int64_is_named(foxglove, json_channel):
    data = foxglove.message("foxglove.RawImage", timestamp={"seconds": 2**62}).SerializeToString()
    with pytest.raises(DecodeError, match="does not fit 64 bits"):
        header_stamp_reader(foxglove.channel("foxglove.RawImage"))(data)
    with pytest.raises(DecodeError, match="does not fit 64 bits"):
        header_stamp_reader(json_channel("x"))(b'{"timestamp": {"sec": 99999999999999, "nsec": 0}}')


@pytest.mark.parametrize("nanoseconds", ["nanosec", "nsec", "nsecs"])
@pytest.mark.parametrize("seconds", ["sec", "secs"])
@pytest.mark.parametrize("shape", ["header", "timestamp", "stamp", "list"])
def test_the_stamp_of_a_json_message(json_channel, shape, seconds, nanoseconds):
    stamp = {seconds: STAMP["sec"], nanoseconds: STAMP["nanosec"]}
    header = {"header": {"stamp": stamp, "frame_id": "x"}}
    message = {"header": header, "list": {"transforms": [header, {}]}}.get(shape, {shape: stamp})
    assert header_stamp_reader(json_channel("robot.State"))(json.dumps(message).encode()) == STAMP_NS


@pytest.mark.parametrize("text", ["{}", "[]", "3", '{"header": 1}', '{"timestamp": 1.5}', '{"transforms": []}'])
def test_json_messages_without_a_stamp_have_none(json_channel, text):
    assert header_stamp_reader(json_channel("robot.State"))(text.encode()) is None


@pytest.mark.parametrize(
    "text", ['{"timestamp": {"sec": "1", "nsec": 2}}', '{"timestamp": {"sec": 1.5, "nsec": 2}}', "{"]
)
def test_json_stamps_that_are_none_are_named(json_channel, text):
    with pytest.raises(DecodeError, match="/topic"):
        header_stamp_reader(json_channel("robot.State"))(text.encode())
