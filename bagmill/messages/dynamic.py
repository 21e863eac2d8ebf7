"""Any message → an object with its fields, by the definition its channel carries."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from bagmill.errors import DecodeError
from bagmill.limits import limits
from bagmill.messages.definitions import ros_definitions
from bagmill.messages.foreign import guarded
from bagmill.messages.json_text import parse_json
from bagmill.messages.protobuf import num_protobuf_fields, protobuf_decoder
from bagmill.messages.reading_store import ReadingStore
from bagmill.messages.wire import cdr_byte_order
from bagmill.recordings.records import Buffer, Channel

MESSAGE_ENCODINGS = ("cdr", "ros1", "protobuf", "json")

_MAX_LEFT_OVER = 8
"""Writers pad, and RealSense's leaves four bytes; more than this says that the definition is not the message's."""


def message_decoder(channel: Channel) -> Callable[[Buffer], Any]:
    """Payload → message, for any channel.

    Returns:
        A decoder that may be called from several threads at once and raises nothing but DecodeError. It gives an object
        with the message's fields as attributes (ROS, protobuf) or the JSON value.

    Raises:
        DecodeError: A message encoding or schema that cannot be read, naming which are.
    """
    match channel.message_encoding:
        case "cdr":
            decode = _cdr_decoder(channel)
        case "ros1":
            decode = _ros1_decoder(channel)
        case "protobuf":
            parse = protobuf_decoder(channel)
            decode = lambda data: parse(bytes(data))  # noqa: E731 - as short as the others' last line
        case "json":
            decode = parse_json
        case other:
            raise DecodeError(
                f"message encoding {other!r} ({channel.schema_name or 'no schema'}) cannot be decoded",
                channel=channel.topic,
                remedy=f"Supported: {', '.join(MESSAGE_ENCODINGS)}",
            )
    return guarded(decode, channel)


def num_type_fields(channel: Channel) -> int:
    """Fields of the type of a channel's messages with all types inside it; 0 where no schema says them.

    Raises:
        DecodeError: As `message_decoder`.
    """
    match channel.message_encoding:
        case "cdr" | "ros1":
            return ros_definitions(channel).num_fields
        case "protobuf":
            return num_protobuf_fields(channel)
    return 0


def _cdr_decoder(channel: Channel) -> Callable[[Buffer], Any]:
    store = ros_definitions(channel)
    definition = store.get_msgdef(channel.schema_name)

    most_bytes = _most_bytes(store)

    def decode(data: Buffer) -> Any:
        view = memoryview(data)
        if len(view) > most_bytes:
            _refuse_lists(view, store)
        is_little = cdr_byte_order(view) == "little"
        # Asked for at every message: it is made when it is first called.
        deserialise = definition.deserialize_cdr_le if is_little else definition.deserialize_cdr_be
        message, end = deserialise(view[4:], 0, definition.cls, store)
        _check_left_over(end, len(view) - 4)
        return message

    return decode


def _ros1_decoder(channel: Channel) -> Callable[[Buffer], Any]:
    store = ros_definitions(channel)
    definition = store.get_msgdef(channel.schema_name)

    most_bytes = _most_bytes(store)

    def decode(data: Buffer) -> Any:
        if len(data) > most_bytes:
            _refuse_lists(data, store)
        message, end = definition.deserialize_ros1(data, 0, definition.cls, store)
        _check_left_over(end, len(data))
        return message

    return decode


def _most_bytes(store: ReadingStore) -> float:
    """Of a message whose lists surely have no more values than a message may have."""
    return limits().message_values / store.num_listed if store.num_listed else math.inf


def _refuse_lists(data: Buffer, store: ReadingStore) -> None:
    num_values = round(len(data) * store.num_listed)
    limits().check(
        "message_values", num_values, what=f"the number of values that {len(data):,} bytes of lists can hold"
    )


def _check_left_over(end: int, size: int) -> None:
    # Past the end: rosbags does not look whether there is a byte behind its last field's alignment.
    if end > size:
        raise DecodeError(f"expected {end} bytes, found {size}", remedy="The message was cut off")
    if size - end > _MAX_LEFT_OVER:
        raise DecodeError(
            f"the message's definition accounts for {end} bytes of {size}",
            remedy="It was recorded with another version of its definition",
        )
