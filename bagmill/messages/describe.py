"""A message → the inventory's entry for the messages like it."""

from __future__ import annotations

from typing import Any, Literal

from bagmill.errors import DecodeError
from bagmill.messages.content import ChannelContent
from bagmill.messages.definitions import ros_definitions
from bagmill.messages.dynamic import message_decoder
from bagmill.messages.example import example_of
from bagmill.messages.image_schemas import image_decoder, is_image_schema
from bagmill.messages.json_types import json_schema_types
from bagmill.messages.numeric import number_types
from bagmill.messages.payload import RAW_ENCODINGS, ImagePayload
from bagmill.messages.png import read_png_header
from bagmill.messages.ros_types import ros_number_types
from bagmill.recordings.records import Buffer, Channel


def describe(channel: Channel, data: Buffer) -> ChannelContent:
    """What a channel's messages hold, as told by one of them.

    Args:
        channel: Any.
        data: The payload of one of its messages.

    Returns:
        Kind `none` with a problem where it cannot be decoded, and `none` without one where it holds no numbers; never
        raises for what is in a recording.
    """
    try:
        if is_image_schema(channel):
            return describe_picture(image_decoder(channel)(data))
        return describe_message(channel, message_decoder(channel)(data))
    except DecodeError as err:
        return ChannelContent("none", problem=said_at_once(err))


def said_at_once(err: DecodeError) -> str:
    """What is wrong, and what to do in brackets."""
    return f"{err.problem} ({err.remedy})" if err.remedy else err.problem


def describe_message(channel: Channel, message: Any) -> ChannelContent:
    """What messages like a decoded one hold.

    Args:
        channel: Of the message; no channel of pictures.
        message: From the channel's `message_decoder`.
    """
    example = example_of(message)
    if not isinstance(example, dict):
        return ChannelContent("none")
    types = None
    if channel.message_encoding in ("cdr", "ros1"):
        types = _types_of(channel)
    elif channel.message_encoding == "protobuf":
        types = number_types(message, is_typed=True)
    elif channel.schema_encoding == "jsonschema":
        types = _types_by_schema(message, channel.schema_data)
    return ChannelContent.of_numbers(example, types=types)


def _types_by_schema(message: Any, schema_data: bytes) -> dict[str, str]:
    """The types of a JSON message's numbers: whole where the schema says so and the message does not contradict."""
    declared, found = json_schema_types(schema_data), number_types(message, is_typed=True)
    return {
        path: kind if declared.get(path) == kind else kind.replace("int64", "float64") for path, kind in found.items()
    }


def _types_of(channel: Channel) -> dict[str, str]:
    store = ros_definitions(channel)
    return ros_number_types(store, channel.schema_name, message_encoding=channel.message_encoding)


def describe_picture(payload: ImagePayload) -> ChannelContent:
    """What pictures like one hold.

    Args:
        payload: From the channel's `image_decoder`.

    Raises:
        DecodeError: It is of a kind that cannot be stored.
    """
    kind: Literal["image", "depth"] = "image"
    if payload.encoding == "png":
        header = read_png_header(payload.data)
        if header.bit_depth == 16 and not header.is_gray:
            raise DecodeError("a PNG of 16 bits a colour channel cannot be stored", remedy="Record it with 8 bits")
        kind = "depth" if header.is_depth else "image"
    elif payload.encoding == "rvl":
        kind = "depth"
    elif payload.encoding in RAW_ENCODINGS:
        kind = RAW_ENCODINGS[payload.encoding].kind
    return ChannelContent(kind, encoding=payload.encoding, height=payload.height, width=payload.width)
