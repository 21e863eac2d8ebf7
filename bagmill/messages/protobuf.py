"""Protobuf messages by the descriptors that their channel carries."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

from bagmill.errors import DecodeError
from bagmill.messages.foreign import reading_schema
from bagmill.messages.protobuf_bounds import bounds_of, check_depth, check_num_values, most_bytes_unchecked
from bagmill.messages.protobuf_descriptors import num_fields_in, sound_descriptors
from bagmill.recordings.records import Channel


def protobuf_decoder(channel: Channel) -> Callable[[bytes], Any]:
    """Payload → message object of a channel's protobuf type.

    Raises:
        DecodeError: The channel's schema is no set of protobuf descriptors, or its message type is not among them.
    """
    return _type(channel).decode


def num_protobuf_fields(channel: Channel) -> int:
    """Fields of all types that a channel's descriptors declare.

    Raises:
        DecodeError: As `protobuf_decoder`.
    """
    return _type(channel).num_fields


class _Type(NamedTuple):
    decode: Callable[[bytes], Any]
    num_fields: int
    """Of all types that are declared with it."""


def _type(channel: Channel) -> _Type:
    if channel.schema_encoding != "protobuf":
        raise DecodeError(
            f"protobuf messages with a schema of encoding {channel.schema_encoding!r} cannot be decoded",
            channel=channel.topic,
            remedy="Supported for protobuf messages: schema encoding `protobuf` (a FileDescriptorSet)",
        )
    with reading_schema(channel):
        return _made(channel.schema_name, channel.schema_data)


def protobuf_descriptor(channel: Channel) -> Any:
    """The descriptor of a channel's protobuf type.

    Raises:
        DecodeError: As `protobuf_decoder`.
    """
    decode = protobuf_decoder(channel)
    with reading_schema(channel):
        return decode(b"").DESCRIPTOR  # no bytes at all are a message of any type, with every field left out


@lru_cache(maxsize=256)
def _made(schema_name: str, schema_data: bytes) -> _Type:
    pool = DescriptorPool()
    files = sound_descriptors(schema_data)
    for file in files:
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

    return _Type(decode, num_fields_in(files))
