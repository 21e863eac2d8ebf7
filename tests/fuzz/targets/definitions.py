"""Message definitions: a schema is damaged, and whatever a channel's schema is read for is asked of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from bagmill.messages import describe, header_stamp_reader, is_image_schema, signal_decoder
from tests.fuzz.seeds import channel, joints, message
from tests.fuzz.target import Target, Try

_MSG = (
    b"float64 x\n",
    b"float64[] x\n",
    b"float64[36] c\n",
    b"string<=5 s\n",
    b"a/B b\n",
    b"MSG: a/B\n",
    b"=" * 80 + b"\n",
    b"int32 X=1\n",
    b"[4294967295]",
    b"[-1]",
    b"string S='x'\n",
    b"Header header\n",
    b"# ",
)
_IDL = (
    b"module a {",
    b"struct B {",
    b"};",
    b"sequence<",
    b">",
    b"const long X = 1 << 3;",
    b"typedef ",
    b"double x[3];",
    b"enum E { A, B };",
    b"@verbatim (",
    b"string<5> ",
    b"union",
    b"<<",
    b"**",
    b"(((",
)
_PROTO = (b"\x0a", b"\x12", b"\x22", b"google/protobuf/timestamp.proto", b"proto3", b".a.B", b"\x18\x01", b"\x28\x0b")
_JSON = (
    b'{"type": "object", "properties": {',
    b'"$ref": "#"',
    b'"items": ',
    b"[" * 50,
    b"1e999",
    b'"format": "time"',
    b"null",
)


def _reading(schema_name: str, encoding: str, wire: str, payload: Callable[[], bytes], field: str) -> Try:
    def attempt(data: bytes, _: Path) -> object:
        of = channel(schema_name, schema=data, encoding=encoding, wire=wire)
        if is_image_schema(of):
            return None
        described = describe(of, payload())
        if (read := header_stamp_reader(of)) is not None:
            read(payload())
        if field in described.fields:
            signal_decoder(of, field)(payload())
        return described

    return attempt


def _joint_state(wire: str) -> Callable[[], bytes]:
    return cache(lambda: message("sensor_msgs/msg/JointState", joints(), dialect="ros1" if wire == "ros1" else "ros2"))


@cache
def _msg_texts() -> Sequence[bytes]:
    names = (
        "sensor_msgs/msg/JointState",
        "nav_msgs/msg/Odometry",
        "tf2_msgs/msg/TFMessage",
        "trajectory_msgs/msg/JointTrajectory",
    )
    return [channel(name).schema_data for name in names]


def _ros1_texts() -> Sequence[bytes]:
    names = ("sensor_msgs/msg/JointState", "nav_msgs/msg/Odometry", "sensor_msgs/msg/Imu")
    return [channel(name, wire="ros1").schema_data for name in names]


_IDL_TEXT = b"""================================================================================
IDL: sensor_msgs/msg/JointState
module sensor_msgs { module msg {
  const long LIMIT = 1 << 3;
  typedef double double__3[3];
  @verbatim (language="comment", text="what a robot's joints do")
  struct JointState {
    std_msgs::msg::Header header;
    sequence<string> name;
    sequence<double> position; sequence<double, 8> velocity;
    sequence<double> effort;
  };
}; };
================================================================================
IDL: std_msgs/msg/Header
module std_msgs { module msg { struct Header { builtin_interfaces::msg::Time stamp; string frame_id; }; }; };
================================================================================
IDL: builtin_interfaces/msg/Time
module builtin_interfaces { module msg { struct Time { long sec; unsigned long nanosec; }; }; };
"""


@cache
def _descriptors() -> Sequence[bytes]:
    from google.protobuf.descriptor_pb2 import FieldDescriptorProto, FileDescriptorProto, FileDescriptorSet
    from google.protobuf.timestamp_pb2 import DESCRIPTOR as STAMP

    file = FileDescriptorProto(name="a.proto", package="a", syntax="proto3", dependency=[STAMP.name])
    kinds = FieldDescriptorProto
    inner = file.message_type.add(name="Joint")
    inner.field.add(name="q", number=1, type=kinds.TYPE_DOUBLE, label=kinds.LABEL_OPTIONAL)
    outer = file.message_type.add(name="B")
    outer.field.add(
        name="stamp",
        number=1,
        type=kinds.TYPE_MESSAGE,
        type_name=".google.protobuf.Timestamp",
        label=kinds.LABEL_OPTIONAL,
    )
    outer.field.add(name="joints", number=2, type=kinds.TYPE_MESSAGE, type_name=".a.Joint", label=kinds.LABEL_REPEATED)
    outer.field.add(name="values", number=3, type=kinds.TYPE_FLOAT, label=kinds.LABEL_REPEATED)
    outer.field.add(name="again", number=4, type=kinds.TYPE_MESSAGE, type_name=".a.B", label=kinds.LABEL_OPTIONAL)
    stamp = FileDescriptorProto()
    STAMP.CopyToProto(stamp)
    return [FileDescriptorSet(file=[stamp, file]).SerializeToString()]


_PROTO_PAYLOAD = bytes.fromhex("0a060880e2cfaa0612090900000000000000 3f1a080000803f00000040".replace(" ", ""))
_JSON_SCHEMA = json.dumps(
    {
        "type": "object",
        "properties": {
            "stamp": {"type": "object", "properties": {"sec": {"type": "integer"}}},
            "q": {"type": "array", "items": {"type": "number"}},
        },
    }
).encode()
_JSON_PAYLOAD = b'{"stamp": {"sec": 1, "nsec": 2}, "q": [1.5, 2.5], "name": ["a", "b"]}'

DEFINITIONS = (
    Target(
        "ros2msg",
        _reading("sensor_msgs/msg/JointState", "ros2msg", "cdr", _joint_state("cdr"), "position"),
        _msg_texts,
        _MSG,
    ),
    Target(
        "ros1msg",
        _reading("sensor_msgs/msg/JointState", "ros1msg", "ros1", _joint_state("ros1"), "position"),
        _ros1_texts,
        _MSG,
    ),
    Target(
        "ros2idl",
        _reading("sensor_msgs/msg/JointState", "ros2idl", "cdr", _joint_state("cdr"), "position"),
        lambda: [_IDL_TEXT],
        _IDL,
    ),
    Target("protobuf", _reading("a.B", "protobuf", "protobuf", lambda: _PROTO_PAYLOAD, "values"), _descriptors, _PROTO),
    Target(
        "jsonschema",
        _reading("a.B", "jsonschema", "json", lambda: _JSON_PAYLOAD, "q"),
        lambda: [_JSON_SCHEMA],
        _JSON,
        weight=0.5,
    ),
)
