"""foxglove.RawImage and foxglove.CompressedImage: pictures as protobuf, JSON, CDR or ROS 1 messages."""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any

from bagmill.errors import DecodeError
from bagmill.messages.compressed_depth import is_compressed_depth, read_compressed_depth
from bagmill.messages.compressed_image import compressed_payload
from bagmill.messages.json_text import parse_json
from bagmill.messages.payload import ImagePayload, raw_payload
from bagmill.messages.protobuf import protobuf_descriptor
from bagmill.messages.protobuf_wire import wire_fields
from bagmill.messages.wire import WireReader
from bagmill.recordings.records import Buffer, Channel

_Fields = Mapping[str, Any]

_KINDS: dict[str, type] = {"width": int, "height": int, "step": int, "encoding": str, "format": str, "data": bytes}


def foxglove_reader(channel: Channel, *, is_compressed: bool) -> Callable[[Buffer], ImagePayload]:
    """Payload → picture for a channel of foxglove.RawImage or foxglove.CompressedImage.

    Args:
        channel: Of message encoding `protobuf`, `json`, `cdr` or `ros1`.
        is_compressed: Whether it is a CompressedImage.

    Raises:
        DecodeError: The channel's protobuf schema cannot be used.

    Source: docs.foxglove.dev, "Schemas": RawImage, CompressedImage.
    """
    build = _compressed if is_compressed else _raw
    if channel.message_encoding == "protobuf":
        names = {field.number: field.name for field in protobuf_descriptor(channel).fields}
        return lambda data: build(_from_protobuf(data, names))
    if channel.message_encoding == "json":
        return lambda data: build(_from_json(data))
    read = _compressed_from_ros if is_compressed else _raw_from_ros
    return lambda data: build(read(WireReader(data, message_encoding=channel.message_encoding)))


def _raw(fields: _Fields) -> ImagePayload:
    return raw_payload(
        fields.get("data", memoryview(b"")),
        encoding=fields.get("encoding", ""),
        height=fields.get("height", 0),
        width=fields.get("width", 0),
        step=fields.get("step", 0),
        is_bigendian=False,  # by definition
    )


def _compressed(fields: _Fields) -> ImagePayload:
    file, format_text = fields.get("data", memoryview(b"")), fields.get("format", "")
    if is_compressed_depth(format_text):
        return read_compressed_depth(file, format_text=format_text)
    return compressed_payload(file, format_text=format_text)


def _from_protobuf(data: Buffer, names: Mapping[int, str]) -> _Fields:
    fields: dict[str, Any] = {}
    for number, value in wire_fields(memoryview(data)):
        name = names.get(number)
        wanted = _KINDS.get(name or "")
        if name is None or wanted is None:
            continue
        if isinstance(value, int) != (wanted is int):
            raise DecodeError(f"field `{name}` is not what the channel's schema says")
        fields[name] = str(value, "utf-8") if wanted is str and isinstance(value, memoryview) else value
    return fields


def _from_json(data: Buffer) -> _Fields:
    message = parse_json(data)
    if not isinstance(message, dict):
        raise DecodeError(f"expected a JSON object, found {type(message).__name__}")
    for name, kind in _KINDS.items():
        is_number = kind is int
        value = message.get(name, 0 if is_number else "")
        if isinstance(value, bool) or not isinstance(value, int if is_number else str):
            raise DecodeError(
                f"field `{name}`: expected {'a whole number' if is_number else 'text'}, found {value!r:.40}"
            )
    return {**message, "data": memoryview(base64.b64decode(message.get("data", ""), validate=True))}


def _raw_from_ros(reader: WireReader) -> _Fields:
    reader.skip(8, alignment=4)
    reader.byte_sequence()  # frame_id
    width, height = reader.uint32(), reader.uint32()
    encoding, step = reader.string(), reader.uint32()
    return {"width": width, "height": height, "encoding": encoding, "step": step, "data": reader.byte_sequence()}


def _compressed_from_ros(reader: WireReader) -> _Fields:
    reader.skip(8, alignment=4)
    reader.byte_sequence()  # frame_id
    file = reader.byte_sequence()
    return {"data": file, "format": reader.string()}
