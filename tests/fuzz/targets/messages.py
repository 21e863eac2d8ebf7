"""Messages: a payload is damaged, and read by a definition that is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from bagmill.messages import describe, header_stamp_reader, signal_decoder, signal_layout_finder
from bagmill.messages.field_path import follow, parse_field_path
from bagmill.messages.protobuf_wire import wire_fields
from bagmill.recordings.records import Channel
from tests.fuzz.seeds import channel, joints, message
from tests.fuzz.target import Target, Try
from tests.fuzz.targets.definitions import _descriptors

_LENGTHS = (b"\xff\xff\xff\xff", b"\xff\xff\xff\x7f", b"\0\0\0\0", b"\x00\x01\0\0", b"\x00\x00\0\0", b"\x00\x03\0\0")


def _payload(of: Callable[[], Channel], field: str) -> Try:
    known = cache(of)

    def attempt(data: bytes, _: Path) -> object:
        found = describe(known(), data)
        if (read := header_stamp_reader(known())) is not None:
            read(data)
        values = signal_decoder(known(), field)(data)
        finder = signal_layout_finder(known(), field)
        # Of what the decoder accepts alone: it says so.
        return found, values, None if finder is None else finder(data)

    return attempt


def _joint_states(dialect: str) -> Callable[[], Sequence[bytes]]:
    return cache(lambda: [message("sensor_msgs/msg/JointState", joints(), dialect=dialect)])


@cache
def _transforms() -> Sequence[bytes]:
    transform = {"child_frame_id": "tool", "transform": {"translation": {"x": 1.0}, "rotation": {"w": 1.0}}}
    return [message("tf2_msgs/msg/TFMessage", {"transforms": [transform] * 2}, header_ns=None)]


def _field_path(data: bytes, _: Path) -> object:
    text = data.decode("utf-8", "replace")
    tree = {
        "q": [1.0, 2.0],
        "motors": [{"q": 1.0, "name": "a"}, {"q": 2.0, "name": "b"}],
        "pose": {"position": {"x": 1.0}},
    }
    return follow(tree, parse_field_path(text))


def _wire(data: bytes, _: Path) -> object:
    return list(wire_fields(memoryview(data)))


_PATHS = [b"pose.position.x", b"motors[:].q", b"q[0:2]", b"motors[name=a].q", b"q[-1]"]
_PROTO_PAYLOAD = bytes.fromhex("0a060880e2cfaa06120909000000000000003f1a080000803f00000040")
_JSON = [b'{"stamp": {"sec": 1, "nsec": 2}, "q": [1.5, 2.5], "name": ["a", "b"], "deep": {"a": {"b": [1, [2]]}}}']

MESSAGES = (
    Target(
        "cdr_joints",
        _payload(lambda: channel("sensor_msgs/msg/JointState"), "position"),
        _joint_states("ros2"),
        _LENGTHS,
    ),
    Target(
        "ros1_joints",
        _payload(lambda: channel("sensor_msgs/msg/JointState", encoding="ros1msg", wire="ros1"), "position"),
        _joint_states("ros1"),
        _LENGTHS,
    ),
    Target(
        "cdr_transforms",
        _payload(lambda: channel("tf2_msgs/msg/TFMessage"), "transforms[0].transform.translation"),
        _transforms,
        _LENGTHS,
    ),
    Target(
        "protobuf_message",
        _payload(lambda: channel("a.B", schema=_descriptors()[0], encoding="protobuf", wire="protobuf"), "values"),
        lambda: [_PROTO_PAYLOAD],
        (b"\x22", b"\x0a", b"\xff" * 9),
    ),
    Target(
        "json_message",
        _payload(lambda: channel("x", schema=b"", encoding="jsonschema", wire="json"), "q"),
        lambda: _JSON,
        (b"[" * 50, b"{" * 9, b'"a":', b"1e999", b"NaN", b"9" * 50, b'"\\ud800"', b"null", b"true"),
    ),
    Target(
        "field_path",
        _field_path,
        lambda: _PATHS,
        (b"[", b"]", b":", b".", b"=", b"[::0]", b"99999999999999999999", b"[a=", b"\\"),
    ),
    Target("protobuf_wire", _wire, lambda: [_PROTO_PAYLOAD], (b"\xff" * 9,), weight=0.5),
)
