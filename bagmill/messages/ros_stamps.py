"""Header stamps of ROS messages, by their definitions."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

from bagmill.messages.definitions import ros_definitions
from bagmill.messages.ros_walk import SIZES, fields_of, skip_field
from bagmill.messages.wire import BIG_ENDIAN, LITTLE_ENDIAN, WireReader
from bagmill.recordings.records import Buffer, Channel

_TIME = "builtin_interfaces/msg/Time"
_HEADER = "std_msgs/msg/Header"
_STAMP_NAMES = ("stamp", "timestamp")

_Read = Callable[[Buffer], int | None]


@dataclass(frozen=True, slots=True)
class StampWay:
    """The way to a message's first stamp: what to skip, then whether to enter a list, and on from there."""

    skipped: tuple[FieldDesc, ...]
    is_in_list: bool = False
    """Whether the next field is a list of any length, whose first item the way leads into."""
    inner: StampWay | None = None
    """The way inside the next field; None: that field is the stamp."""


@dataclass(frozen=True, slots=True)
class StampPlaces:
    """Where a way leads to, in bytes behind the encapsulation, where that is the same in every message."""

    counts: tuple[int, ...]
    """Of the lists on the way, outermost first."""
    stamp: int


def ros_stamp_reader(channel: Channel) -> _Read | None:
    """Payload → header stamp, for message encodings `cdr` and `ros1`; None if the schema has no stamp.

    Where everything before the stamp has a fixed size (a header that comes first), it is one struct to unpack.

    Raises:
        DecodeError: The channel's definition cannot be used.
    """
    store = ros_definitions(channel)
    encoding = channel.message_encoding
    way = find_stamp(store, channel.schema_name, message_encoding=encoding)
    if way is None:
        return None
    read: _Read = partial(walk_to_stamp, way=way, store=store, message_encoding=encoding)
    places = fixed_places(way, message_encoding=encoding)
    if places is not None:
        for head in (BIG_ENDIAN, LITTLE_ENDIAN) if encoding == "cdr" else (b"",):
            read = _reader_at(places, head=head, otherwise=read)
    return read


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


def fixed_places(way: StampWay, *, message_encoding: str) -> StampPlaces | None:
    """Where the stamp and what decides about it lie; None where that differs from message to message."""
    offset = 0
    counts: list[int] = []
    step: StampWay | None = way
    while step is not None:
        sizes = [SIZES.get(kind[1][0]) if kind[0] == Nodetype.BASE else None for kind in step.skipped]
        for size in (*sizes, *((4,) if step.is_in_list else ())):
            if size is None:
                return None
            offset += size + (-offset % size if message_encoding == "cdr" else 0)
        if step.is_in_list:
            counts.append(offset - 4)
        step = step.inner
    if message_encoding == "cdr":
        offset += -offset % 4
    return StampPlaces(tuple(counts), offset)


def _reader_at(places: StampPlaces, *, head: bytes, otherwise: _Read) -> _Read:
    """A reader of one struct, for messages that begin with `head`, without empty lists on the way and long enough."""
    unpack = _struct_to(places, head).unpack_from

    def read(data: Buffer) -> int | None:
        try:
            found, seconds, nanoseconds = unpack(data)
        except struct.error:
            return otherwise(data)
        return seconds * 1_000_000_000 + nanoseconds if found == head else otherwise(data)

    def read_in_list(data: Buffer) -> int | None:
        try:
            found, *counts, seconds, nanoseconds = unpack(data)
        except struct.error:
            return otherwise(data)
        return seconds * 1_000_000_000 + nanoseconds if found == head and all(counts) else otherwise(data)

    return read_in_list if places.counts else read


def _struct_to(places: StampPlaces, head: bytes) -> struct.Struct:
    """A message's head, counts, seconds and nanoseconds."""
    layout = f"{'>' if head == BIG_ENDIAN else '<'}{len(head)}s{len(head)}x"  # CDR has as many bytes of options
    end = 0
    for count in places.counts:
        layout += f"{count - end}xI"
        end = count + 4
    # Seconds are signed in ROS 2 and unsigned in ROS 1.
    return struct.Struct(f"{layout}{places.stamp - end}x{'i' if head else 'I'}I")
