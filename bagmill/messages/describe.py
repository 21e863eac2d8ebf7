"""A channel's first message → the inventory's entry for the channel."""

from __future__ import annotations

from typing import Literal

from bagmill.errors import DecodeError
from bagmill.messages.content import ChannelContent
from bagmill.messages.dynamic import message_decoder
from bagmill.messages.image_schemas import image_decoder, is_image_schema
from bagmill.messages.joint_state import joint_names
from bagmill.messages.numeric import numeric_fields
from bagmill.messages.payload import RAW_ENCODINGS, ImagePayload
from bagmill.messages.png import read_png_header
from bagmill.recordings.records import Buffer, Channel


def describe(channel: Channel, data: Buffer) -> ChannelContent:
    """What a channel's messages hold, as told by one of them.

    Args:
        channel: Any.
        data: The payload of its first message, or of a later one where that is damaged.

    Returns:
        Kind `none` with a problem where it cannot be decoded, and `none` without one where it holds no numbers; never
        raises for what is in a recording.
    """
    try:
        if is_image_schema(channel):
            return _describe_picture(image_decoder(channel)(data))
        message = message_decoder(channel)(data)
        fields = numeric_fields(message)
    except DecodeError as err:
        return ChannelContent("none", problem=f"{err.problem} ({err.remedy})" if err.remedy else err.problem)
    if not fields:
        return ChannelContent("none")
    return ChannelContent("numeric", fields=fields, names=joint_names(message))


def _describe_picture(payload: ImagePayload) -> ChannelContent:
    kind: Literal["image", "depth"] = "image"
    if payload.encoding == "png":
        header = read_png_header(payload.data)
        if header.bit_depth == 16 and not header.is_gray:
            raise DecodeError("a PNG of 16 bits a colour channel cannot be stored", remedy="Record it with 8 bits")
        kind = "depth" if header.is_depth else "image"
    elif payload.encoding in RAW_ENCODINGS:
        kind = RAW_ENCODINGS[payload.encoding].kind
    return ChannelContent(kind, encoding=payload.encoding, height=payload.height, width=payload.width)
