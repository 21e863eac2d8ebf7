"""The protobuf wire format, walked field by field, so that a picture's bytes are stepped over and not copied."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct

from bagmill.errors import DecodeError
from bagmill.limits import limits

_FIXED = {1: Struct("<Q"), 5: Struct("<I")}
_LENGTH_DELIMITED = 2
NUM_VALUES = "the number of values in a protobuf message"


def wire_fields(data: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Every field of one message, in the order of its bytes.

    Args:
        data: The serialised message.

    Yields:
        Field number, and the value: an unsigned integer, or a view of a length-delimited field's bytes.

    Raises:
        DecodeError: The bytes break off inside a field, or a tag is none.
        LimitError: There are too many.

    Source: protobuf.dev, "Encoding".
    """
    position = num_values = 0
    most = limits().message_values
    while position < len(data):
        num_values += 1
        if num_values > most:
            limits().check("message_values", num_values, what=NUM_VALUES)
        tag, position = _varint(data, position)
        number, kind = tag >> 3, tag & 7
        if kind == 0:
            value, position = _varint(data, position)
            yield number, value
        elif kind in _FIXED:
            fixed = _FIXED[kind]
            end = _end(data, position, fixed.size)
            yield number, int(fixed.unpack_from(data, position)[0])
            position = end
        elif kind == _LENGTH_DELIMITED:
            size, position = _varint(data, position)
            end = _end(data, position, size)
            yield number, data[position:end]
            position = end
        else:
            raise DecodeError(f"no protobuf message: wire type {kind} at byte {position}")


def signed(value: int) -> int:
    """An int32 or int64 as the wire carries it, two's complement in 64 bits, with its sign."""
    return value - (1 << 64) if value >= 1 << 63 else value


def _varint(data: memoryview, position: int) -> tuple[int, int]:
    if position < len(data) and (byte := data[position]) < 0x80:  # most numbers are tags and small sizes
        return byte, position + 1
    value = 0
    for n in range(10):
        if position >= len(data):
            raise DecodeError(f"no protobuf message: {len(data)} bytes break off inside a number")
        byte = data[position]
        position += 1
        value |= (byte & 0x7F) << (7 * n)
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, position
    raise DecodeError(f"no protobuf message: a number of more than 10 bytes before byte {position}")


def _end(data: memoryview, position: int, size: int) -> int:
    end = position + size
    if end > len(data):
        raise DecodeError(
            f"no protobuf message: expected {size} bytes at byte {position}, found {len(data) - position}"
        )
    return end
