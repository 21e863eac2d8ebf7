"""The stamp inside a message: when its sensor says that it measured."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bagmill.errors import DecodeError
from bagmill.messages.foreign import guarded
from bagmill.messages.json_text import parse_json
from bagmill.messages.protobuf_stamps import protobuf_stamp_reader
from bagmill.messages.ros_stamps import ros_stamp_reader
from bagmill.messages.timestamp import NANOSECONDS, SECONDS, to_nanoseconds
from bagmill.recordings.records import Buffer, Channel


def header_stamp_reader(channel: Channel) -> Callable[[Buffer], int | None] | None:
    """Payload → header stamp, for any channel.

    CDR, ROS 1 and protobuf messages are not deserialised for it; JSON has to be parsed.

    Returns:
        A reader that may be called from several threads at once: ns since the epoch of the message's own clock, or None
        where this message has no stamp (a TFMessage without transforms). It raises DecodeError where the payload breaks
        off before its stamp. None instead of a reader where the schema has no stamp, or is none that can be read:
        `describe` says why.
    """
    try:
        read = _reader(channel)
    except DecodeError:
        return None
    return None if read is None else guarded(read, channel)


def _reader(channel: Channel) -> Callable[[Buffer], int | None] | None:
    match channel.message_encoding:
        case "cdr" | "ros1":
            return ros_stamp_reader(channel)
        case "protobuf":
            return protobuf_stamp_reader(channel)
        case "json":
            return _json_stamp
    return None


def _json_stamp(data: Buffer) -> int | None:
    message = parse_json(data)
    if not isinstance(message, dict):
        return None
    first = next(iter(message.values()), None)
    # A list of stamped messages (TFMessage) has the stamp of its first.
    for candidate in (message, *(first[:1] if isinstance(first, list) else ())):
        stamp = _stamp_of(candidate)
        if stamp is not None:
            return to_nanoseconds(*stamp)
    return None


def _stamp_of(message: Any) -> tuple[int, int] | None:
    if not isinstance(message, dict):
        return None
    for holder, name in ((message.get("header"), "stamp"), (message, "timestamp"), (message, "stamp")):
        value = holder.get(name) if isinstance(holder, dict) else None
        if not isinstance(value, dict):
            continue
        seconds, nanoseconds = (
            next((value[part] for part in parts if part in value), None) for parts in (SECONDS, NANOSECONDS)
        )
        if seconds is None or nanoseconds is None:
            continue
        if type(seconds) is not int or type(nanoseconds) is not int:
            raise DecodeError(f"expected a stamp of whole seconds and nanoseconds, found {value!r:.80}")
        return seconds, nanoseconds
    return None
