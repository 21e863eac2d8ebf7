"""Protobuf messages by the descriptors that their channel carries."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from bagmill.errors import DecodeError
from bagmill.messages.foreign import reading_schema
from bagmill.messages.protobuf_bounds import bounds_of, check_depth, check_num_values, most_bytes_unchecked
from bagmill.messages.protobuf_descriptors import sound_descriptors
from bagmill.recordings.records import Channel


def protobuf_decoder(channel: Channel) -> Callable[[bytes], Any]:
    """Payload → message object of a channel's protobuf type.

    Raises:
        DecodeError: The channel's schema is no set of protobuf descriptors, or its message type is not among them.
    """
    if channel.schema_encoding != "protobuf":
        raise DecodeError(
            f"protobuf messages with a schema of encoding {channel.schema_encoding!r} cannot be decoded",
            channel=channel.topic,
            remedy="Supported for protobuf messages: schema encoding `protobuf` (a FileDescriptorSet)",
        )
    with reading_schema(channel):
        return _decoder(channel.schema_name, channel.schema_data)


def protobuf_descriptor(channel: Channel) -> Any:
    """The descriptor of a channel's protobuf type.

    Raises:
        DecodeError: As `protobuf_decoder`.
    """
    decode = protobuf_decoder(channel)
    with reading_schema(channel):
        return decode(b"").DESCRIPTOR  # no bytes at all are a message of any type, with every field left out


@lru_cache(maxsize=256)
def _decoder(schema_name: str, schema_data: bytes) -> Callable[[bytes], Any]:
    pool = DescriptorPool()
    for file in sound_descriptors(schema_data):
        pool.Add(file)
    try:
        descriptor = pool.FindMessageTypeByName(schema_name)
    except KeyError as err:
        raise DecodeError(f"no protobuf type {schema_name} in the channel's schema") from err
    kind = GetMessageClass(descriptor)
    bounds = bounds_of(descriptor)
    most_bytes, is_deep = most_bytes_unchecked(bounds), bounds.is_deep

    def decode(data: bytes) -> Any:
        message = kind()
        if len(data) > most_bytes:
            check_num_values(data, descriptor)
        message.ParseFromString(data)
        if is_deep:
            check_depth(message)
        return message

    return decode
