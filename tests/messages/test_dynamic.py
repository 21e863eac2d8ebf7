"""Any message by its own definition, against rosbags, google.protobuf and json."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import describe, header_stamp_reader, message_decoder, signal_decoder

IMU = "sensor_msgs/msg/Imu"
VALUES = {
    "header": {"stamp": {"sec": 3}, "frame_id": "imu"},
    "orientation": {"w": 1.0},
    "orientation_covariance": np.arange(9),
}


def assert_is_the_imu(message):
    assert message.header.frame_id == "imu"
    assert message.orientation.w == 1.0
    assert message.orientation_covariance.tolist() == list(range(9))


def test_by_the_definition_the_channel_carries(wire):
    assert_is_the_imu(message_decoder(wire.channel(IMU))(wire.pack(IMU, VALUES)))


def test_by_ros_own_definition_where_the_channel_carries_none(wire):
    bare = replace(wire.channel(IMU), schema_data=b"")
    assert_is_the_imu(message_decoder(bare)(wire.pack(IMU, VALUES)))
    assert_is_the_imu(message_decoder(replace(bare, schema_encoding=""))(wire.pack(IMU, VALUES)))


SEPARATOR = "=" * 80 + "\n"


@pytest.mark.parametrize("is_named_in_full", [True, False])
def test_types_that_a_definition_lacks_are_ros_own(wire, is_named_in_full):
    channel = wire.channel(IMU)
    root, *others = channel.schema_data.decode().split(SEPARATOR)
    if not is_named_in_full:
        root = root.replace("std_msgs/Header", "Header")
    assert len(others) >= 3
    assert_is_the_imu(message_decoder(replace(channel, schema_data=root.encode()))(wire.pack(IMU, VALUES)))
    # Sections that are named and empty say nothing either.
    empty = SEPARATOR.join([root, *(f"{part.splitlines()[0]}\n" for part in others)])
    assert_is_the_imu(message_decoder(replace(channel, schema_data=empty.encode()))(wire.pack(IMU, VALUES)))
    comment = replace(channel, schema_data=b"# as in the documentation\n")
    assert_is_the_imu(message_decoder(comment)(wire.pack(IMU, VALUES)))


@pytest.mark.parametrize("has_sections", [True, False])
def test_a_type_that_was_recorded_without_its_package(wire, has_sections):
    """Pose in it is geometry_msgs': what is defined is its PoseStamped, field by field."""
    name = "geometry_msgs/msg/PoseStamped"
    root, *others = wire.channel(name).schema_data.decode().split(SEPARATOR)
    text = root.replace("std_msgs/", "").replace("geometry_msgs/", "")
    if has_sections:
        text = SEPARATOR.join([text, *others])
    channel = replace(wire.channel(name), schema_name="PoseStamped", schema_data=text.encode())
    data = wire.pack(name, {"header": {"stamp": {"sec": 7}, "frame_id": "map"}, "pose": {"position": {"y": 2.5}}})
    message = message_decoder(channel)(data)
    assert (message.header.frame_id, message.pose.position.y) == ("map", 2.5)
    assert header_stamp_reader(channel)(data) == 7 * 10**9
    assert describe(channel, data).fields["pose.position"] == 3
    assert signal_decoder(channel, "pose.position")(data).tolist() == [0.0, 2.5, 0.0]


def test_a_type_without_a_package_and_of_nobody(wire):
    own = replace(wire.channel(IMU), schema_name="Battery", schema_data=b"float64 voltage\nfloat32[2] cells\n")
    data = wire.with_type("own/msg/Battery", own.schema_data.decode()).pack("own/msg/Battery", {"voltage": 24.0})
    assert message_decoder(own)(data).voltage == 24.0
    with pytest.raises(DecodeError, match=r"the definition of Battery lacks the type Cell, .*`definitions: FOLDER`"):
        message_decoder(replace(own, schema_data=b"Cell cell\n"))


def test_constants_that_rosbags_does_not_know_are_no_obstacle(wire):
    text = "uint8 Mode_Auto=1\nuint8 HEX=0x10\nchar LETTER='a'\nfloat64 x 1.5\n"
    channel = replace(wire.channel(IMU), schema_name="own/msg/Thing", schema_data=text.encode())
    data = wire.with_type("own/msg/Thing", "float64 x\n").pack("own/msg/Thing", {"x": 3.25})
    assert message_decoder(channel)(data).x == 3.25


def test_a_name_that_is_none_is_named(wire):
    with pytest.raises(DecodeError, match="is no name of a ROS type"):
        message_decoder(replace(wire.channel(IMU), schema_name="own/msg/A'): ('", schema_data=b"int8 x"))


IDL = """================================================================================
IDL: test_msgs/msg/Reading
// generated from rosidl_adapter/resource/msg.idl.em
#include "test_msgs/msg/Part.idl"

module test_msgs {
  module msg {
    @verbatim (language="comment", text=
      "What the sensor says." "\\n" "# in its unit")
    struct Reading {
      test_msgs::msg::Part part;
      sequence<double> values;
    };
  };
};
================================================================================
IDL: test_msgs/msg/Part
module test_msgs {
  module msg {
    struct Part {
      string label;
      int32 number;
    };
  };
};
"""


def test_by_an_idl_definition(cdr):
    written = cdr.with_type(
        "test_msgs/msg/Reading",
        "test_msgs/Part part\nfloat64[] values\n" + "=" * 80 + "\nMSG: test_msgs/Part\nstring label\nint32 number\n",
    )
    data = written.pack("test_msgs/msg/Reading", {"part": {"label": "x", "number": -4}, "values": [1.5, 2.5]})
    channel = replace(written.channel("test_msgs/msg/Reading"), schema_encoding="ros2idl", schema_data=IDL.encode())
    message = message_decoder(channel)(data)
    assert (message.part.label, message.part.number, message.values.tolist()) == ("x", -4, [1.5, 2.5])


def test_definitions_from_windows_and_with_odd_bytes_in_comments(wire):
    channel = wire.channel("geometry_msgs/msg/Point")
    odd = replace(channel, schema_data=b"# 20 \xb0C\r\nfloat64 x\r\nfloat64 y\r\nfloat64 z\r\n")
    assert message_decoder(odd)(wire.pack(channel.schema_name, {"y": 2.0})).y == 2.0


@pytest.mark.parametrize("num_left_over", [1, 4, 8])
def test_a_few_bytes_left_over_are_padding(wire, num_left_over):
    data = wire.pack(IMU, VALUES) + bytes(num_left_over)
    assert_is_the_imu(message_decoder(wire.channel(IMU))(data))


def test_many_bytes_left_over_say_that_the_definition_is_another(wire):
    data = wire.pack(IMU, VALUES)
    with pytest.raises(DecodeError, match=r"definition accounts for \d+ bytes of \d+.*another version"):
        message_decoder(wire.channel(IMU))(data + bytes(9))


def test_protobuf_and_json(foxglove, json_channel):
    data = foxglove.message("foxglove.Vector3", x=1.5).SerializeToString()
    assert message_decoder(foxglove.channel("foxglove.Vector3"))(memoryview(data)).x == 1.5
    assert message_decoder(json_channel("x"))(memoryview(b'{"a": [1, 2]}')) == {"a": [1, 2]}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"message_encoding": "flatbuffer"}, "message encoding 'flatbuffer' .*Supported: cdr, ros1, protobuf, json"),
        (
            {"schema_encoding": "omgidl"},
            "cdr messages have no schemas of encoding 'omgidl'. Supported.*ros2msg, ros2idl",
        ),
        ({"schema_data": b"Nonsense things\n"}, "lacks the type sensor_msgs/msg/Nonsense, which is none of ROS's own"),
        ({"schema_data": b"{not a definition}"}, "the ros2msg schema of sensor_msgs/msg/Imu cannot be used"),
        ({"schema_name": "own_msgs/msg/Thing", "schema_data": b""}, "without its definition and is none of ROS's own"),
        ({"message_encoding": "protobuf"}, "Supported for protobuf messages: schema encoding `protobuf`"),
    ],
)
def test_what_cannot_be_read_is_named_with_what_can(cdr, change, says):
    with pytest.raises(DecodeError, match=says) as caught:
        message_decoder(replace(cdr.channel(IMU), **change))
    assert caught.value.channel == "/topic"


@pytest.mark.parametrize("schema_data", [b"", b"\xff\xff", b"\x0a\x03abc"])
def test_a_protobuf_schema_that_is_none_is_named(foxglove, schema_data):
    channel = replace(foxglove.channel("foxglove.Vector3"), schema_data=schema_data)
    with pytest.raises(DecodeError, match="/topic"):
        message_decoder(channel)


def test_a_protobuf_type_that_the_schema_lacks_is_named(foxglove):
    with pytest.raises(DecodeError, match=r"foxglove\.Vector4"):
        message_decoder(replace(foxglove.channel("foxglove.Vector3"), schema_name="foxglove.Vector4"))


@settings(max_examples=80)
@given(cut=st.integers(0, 10_000), flips=st.lists(st.tuples(st.integers(0, 10_000), st.integers(1, 255)), max_size=4))
@pytest.mark.parametrize("name", [IMU, "diagnostic_msgs/msg/DiagnosticArray", "sensor_msgs/msg/PointCloud2"])
def test_damage_is_named_or_gives_a_message(wire, name, cut, flips):
    values = {
        IMU: VALUES,
        "diagnostic_msgs/msg/DiagnosticArray": {"status": [{"name": "a", "values": [{"key": "k", "value": "v"}]}]},
        "sensor_msgs/msg/PointCloud2": {"fields": [{"name": "x"}], "data": [1, 2, 3]},
    }[name]
    data = bytearray(wire.pack(name, values))
    for at, bits in flips:
        data[at % len(data)] ^= bits
    try:
        message_decoder(wire.channel(name))(bytes(data[: cut % (len(data) + 1)]))
    except DecodeError as err:
        assert err.channel == "/topic"


@given(st.binary(max_size=40))
def test_any_bytes_are_named_or_a_protobuf_or_json_message(foxglove, json_channel, data):
    for channel in (foxglove.channel("foxglove.PoseInFrame"), json_channel("x")):
        try:
            message_decoder(channel)(data)
        except DecodeError as err:
            assert err.channel == "/topic"


def test_json_that_nests_without_end_is_named(json_channel):
    with pytest.raises(DecodeError, match="/topic"):
        message_decoder(json_channel("x"))(b"[" * 100_000)


def test_decoders_are_made_and_used_by_several_threads_at_once(wire):
    names = ["sensor_msgs/msg/Imu", "nav_msgs/msg/Odometry", "sensor_msgs/msg/JointState", "nav_msgs/msg/Path"]
    payloads = {name: wire.pack(name, {"header": {"frame_id": name}}) for name in names}

    def decode(n):
        name = names[n % 4]
        # A comment makes every definition one that was not seen before.
        channel = wire.channel(name)
        channel = replace(channel, schema_data=f"# {wire.name} {n // 4}\n".encode() + channel.schema_data)
        return message_decoder(channel)(payloads[name]).header.frame_id == name

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(decode, range(32)))


def test_damage_names_the_topic_the_type_and_what_was_found(json_channel):
    says = r"channel /topic: 3 bytes that are no robot\.State \(Expecting value.*\)\. The recording is damaged there"
    with pytest.raises(DecodeError, match=says):
        message_decoder(json_channel("robot.State"))(b"???")
