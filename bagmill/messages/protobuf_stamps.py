"""Header stamps of protobuf messages: found by the descriptor, read from the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bagmill.errors import DecodeError
from bagmill.messages.protobuf import protobuf_descriptor
from bagmill.messages.protobuf_wire import signed, wire_fields
from bagmill.messages.timestamp import NANOSECONDS, SECONDS, to_nanoseconds
from bagmill.recordings.records import Buffer, Channel

_STAMP_NAMES = ("timestamp", "stamp")
_MAX_DEPTH = 4
_PLAIN_INTEGERS = (3, 4, 5, 6, 7, 13)
"""FieldDescriptorProto.Type: int64, uint64, int32, fixed64, fixed32, uint32."""


@dataclass(frozen=True, slots=True)
class StampWay:
    """Field numbers that lead to a stamp, outermost first, and those of its two parts."""

    fields: tuple[tuple[int, bool], ...]
    """(number, whether it is repeated: then its first message)."""
    seconds: int
    nanoseconds: int


def protobuf_stamp_reader(channel: Channel) -> Callable[[Buffer], int | None] | None:
    """Payload → header stamp; None if the schema has no stamp. Fields beside the stamp are stepped over.

    Raises:
        DecodeError: The channel's schema cannot be used.
    """
    way = find_stamp(protobuf_descriptor(channel))
    return None if way is None else lambda data: _read_stamp(memoryview(data), way)


def find_stamp(descriptor: Any, *, depth: int = 0) -> StampWay | None:
    """The way to the stamp of a message type.

    A field `timestamp` or `stamp` comes first, then one of them inside `header`, then whatever stamp the first field
    has inside (foxglove.FrameTransforms: its first transform's).

    Args:
        descriptor: Of the message type.
        depth: How many messages it is nested in.
    """
    named = {field.name: field for field in descriptor.fields if field.message_type is not None}
    for name in _STAMP_NAMES:
        if name in named and (parts := _time_parts(named[name].message_type)) and not _is_repeated(named[name]):
            return StampWay(((named[name].number, False),), *parts)
    if depth >= _MAX_DEPTH or not descriptor.fields:
        return None
    first = min(descriptor.fields, key=lambda field: int(field.number))
    for field in (named.get("header"), named.get(first.name)):
        inner = None if field is None else find_stamp(field.message_type, depth=depth + 1)
        if field is not None and inner is not None:
            return StampWay(((field.number, _is_repeated(field)), *inner.fields), inner.seconds, inner.nanoseconds)
    return None


def _time_parts(descriptor: Any) -> tuple[int, int] | None:
    """Field numbers of seconds and nanoseconds, for google.protobuf.Timestamp and what is built like it."""
    numbers = {field.name: field.number for field in descriptor.fields if field.type in _PLAIN_INTEGERS}
    seconds = next((numbers[name] for name in SECONDS if name in numbers), None)
    nanoseconds = next((numbers[name] for name in NANOSECONDS if name in numbers), None)
    return None if seconds is None or nanoseconds is None else (seconds, nanoseconds)


def _is_repeated(field: Any) -> bool:
    # A message that is not repeated always knows whether it was set.
    return not field.has_presence


def _read_stamp(message: memoryview, way: StampWay) -> int | None:
    for number, is_repeated in way.fields:
        inner = _message_in(message, number, is_repeated=is_repeated)
        if inner is None:
            return None
        message = inner
    parts = {way.seconds: 0, way.nanoseconds: 0}
    for number, value in wire_fields(message):
        if number in parts and isinstance(value, int):
            parts[number] = signed(value)
    return to_nanoseconds(parts[way.seconds], parts[way.nanoseconds])


def _message_in(message: memoryview, number: int, *, is_repeated: bool) -> memoryview | None:
    found: list[memoryview] = []
    for field, value in wire_fields(message):
        if field == number:
            if isinstance(value, int):
                raise DecodeError(f"field {number} is not what the channel's schema says: expected a message")
            found.append(value)
            if is_repeated:
                break
    if len(found) > 1:
        # By protobuf's rules a message in several pieces is the pieces one after the other.
        return memoryview(b"".join(found))
    return found[0] if found else None
