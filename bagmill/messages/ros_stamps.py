"""Header stamps of ROS messages, by their definitions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

from bagmill.errors import DecodeError
from bagmill.messages.definitions import ros_definitions
from bagmill.messages.ros_walk import SIZES, fields_of, skip_field
from bagmill.messages.wire import WireReader, cdr_byte_order
from bagmill.recordings.records import Buffer, Channel

_TIME = "builtin_interfaces/msg/Time"
_HEADER = "std_msgs/msg/Header"
_STAMP_NAMES = ("stamp", "timestamp")

# Seconds are signed in ROS 2 and unsigned in ROS 1.
_STAMP_STRUCTS = {"little": Struct("<iI"), "big": Struct(">iI"), "ros1": Struct("<II")}


@dataclass(frozen=True, slots=True)
class StampWay:
    """The way to a message's first stamp: what to skip, then whether to enter a list, and on from there."""

    skipped: tuple[FieldDesc, ...]
    is_in_list: bool = False
    """Whether the next field is a list of any length, whose first item the way leads into."""
    inner: StampWay | None = None
    """The way inside the next field; None: that field is the stamp."""


def ros_stamp_reader(channel: Channel) -> Callable[[Buffer], int | None] | None:
    """Payload → header stamp, for message encodings `cdr` and `ros1`; None if the schema has no stamp.

    Where everything before the stamp has a fixed size (a header that comes first), eight bytes are read and no more.

    Raises:
        DecodeError: The channel's definition cannot be used.
    """
    store = ros_definitions(channel)
    encoding = channel.message_encoding
    way = find_stamp(store, channel.schema_name, message_encoding=encoding)
    if way is None:
        return None
    offset = fixed_offset(way, message_encoding=encoding)
    if offset is None:
        return lambda data: walk_to_stamp(data, way, store, message_encoding=encoding)
    if encoding == "cdr":
        return lambda data: _stamp_at(data, 4 + offset, cdr_byte_order(memoryview(data)))
    return lambda data: _stamp_at(data, offset, "ros1")


def find_stamp(store: Typestore, name: str, *, message_encoding: str, depth: int = 0) -> StampWay | None:
    """The way to the stamp of a message type.

    A header anywhere among the fields comes first, then a time that is the first field or is called `stamp` or
    `timestamp`, then whatever stamp the first field has inside (a TFMessage's first transform).

    Args:
        store: Where the type is defined.
        name: Its name.
        message_encoding: `cdr` or `ros1`.
        depth: How many messages it is nested in.
    """
    fields = fields_of(store, name, message_encoding=message_encoding)
    kinds = tuple(kind for _, kind in fields)
    for position, kind in enumerate(kinds):
        if kind == (Nodetype.NAME, _HEADER) and name != _HEADER:
            inner = find_stamp(store, _HEADER, message_encoding=message_encoding, depth=depth + 1)
            return StampWay(kinds[:position], inner=inner) if inner else None
    for position, (field, kind) in enumerate(fields):
        if kind == (Nodetype.NAME, _TIME) and (position == 0 or field in _STAMP_NAMES):
            return StampWay(kinds[:position])
    if not kinds or depth > 8:
        return None
    first = kinds[0]
    item = first[1][0] if first[0] == Nodetype.ARRAY or first[0] == Nodetype.SEQUENCE else first
    if item[0] != Nodetype.NAME or item[1] == _TIME:
        return None
    inner = find_stamp(store, item[1], message_encoding=message_encoding, depth=depth + 1)
    return StampWay((), is_in_list=first[0] == Nodetype.SEQUENCE, inner=inner) if inner else None


def walk_to_stamp(data: Buffer, way: StampWay, store: Typestore, *, message_encoding: str) -> int | None:
    """The stamp at the end of a way, in ns; None where a list on the way is empty.

    Raises:
        DecodeError: The message breaks off before.
    """
    reader = WireReader(data, message_encoding=message_encoding)
    step: StampWay | None = way
    while step is not None:
        for kind in step.skipped:
            skip_field(reader, kind, store)
        if step.is_in_list and reader.uint32() == 0:
            return None
        step = step.inner
    seconds = reader.int32() if reader.is_cdr else reader.uint32()
    return seconds * 1_000_000_000 + reader.uint32()


def fixed_offset(way: StampWay, *, message_encoding: str) -> int | None:
    """Where the stamp lies, in bytes behind the encapsulation; None where that differs from message to message."""
    offset = 0
    step: StampWay | None = way
    while step is not None:
        if step.is_in_list:
            return None
        for kind in step.skipped:
            if kind[0] != Nodetype.BASE or kind[1][0] not in SIZES:
                return None
            size = SIZES[kind[1][0]]
            offset += size + (-offset % size if message_encoding == "cdr" else 0)
        step = step.inner
    return offset + (-offset % 4 if message_encoding == "cdr" else 0)


def _stamp_at(data: Buffer, offset: int, layout: str) -> int:
    if len(data) < offset + 8:
        raise DecodeError(f"expected a stamp at byte {offset}, found a message of {len(data)} bytes")
    seconds, nanoseconds = _STAMP_STRUCTS[layout].unpack_from(data, offset)
    return int(seconds) * 1_000_000_000 + int(nanoseconds)
