"""Protobuf messages by the descriptors that their channel carries."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from mcap.records import Schema
from mcap_protobuf.decoder import DecoderFactory

from bagmill.errors import DecodeError
from bagmill.messages.foreign import reading_schema
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
    schema = Schema(id=1, name=schema_name, encoding="protobuf", data=schema_data)
    decode = DecoderFactory().decoder_for("protobuf", schema)
    if decode is None:
        raise DecodeError(f"no protobuf type {schema_name} in the channel's schema")
    return decode
