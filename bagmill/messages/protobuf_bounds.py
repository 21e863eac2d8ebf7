"""Protobuf messages held against the limits: a byte of one can stand for a level, and two bytes for a message of any size."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor

from bagmill.limits import limits
from bagmill.messages.protobuf_wire import wire_fields

_MIN_BYTES_OF_MESSAGE = 2
"""A message inside another without a field: its tag and its length."""


class TypeBounds(NamedTuple):
    """What messages of a type can come to."""

    is_deep: bool
    """It can hold more levels than are taken: it stands inside itself, or is so by its definition."""
    most_fields: int
    """Of the largest type inside it, or of itself."""


def bounds_of(descriptor: Any) -> TypeBounds:
    """What messages of a type can come to.

    Args:
        descriptor: Of the type.
    """
    inside = _types_inside(descriptor)
    level, depth = {descriptor.full_name}, 1
    while level and depth <= limits().nesting:
        level = {inner for name in level for inner in inside[name][1]}
        depth += 1
    return TypeBounds(is_deep=bool(level), most_fields=max(1, *(num_fields for num_fields, _ in inside.values())))


def _types_inside(descriptor: Any) -> dict[str, tuple[int, set[str]]]:
    """Full name of a type and of all inside it → how many fields it has, and the types of these."""
    found: dict[str, tuple[int, set[str]]] = {}
    waiting = [descriptor]
    while waiting:
        each = waiting.pop()
        if each.full_name not in found:
            inner = [field.message_type for field in each.fields if field.message_type is not None]
            found[each.full_name] = (len(each.fields), {kind.full_name for kind in inner})
            waiting += inner
    return found


def most_bytes_unchecked(bounds: TypeBounds) -> int:
    """Of a message that surely has no more values than are taken."""
    return limits().message_values * _MIN_BYTES_OF_MESSAGE // bounds.most_fields


def check_num_values(data: bytes, descriptor: Any) -> None:
    """Refuse a message whose parts come to too many values; to be asked before it is parsed.

    Args:
        data: The message.
        descriptor: Of its type.

    Raises:
        LimitError: It has too many.
        DecodeError: It is damaged.
    """
    most = limits().message_values
    waiting = [(memoryview(data), descriptor)]
    num_values = 0
    while waiting:
        part, of = waiting.pop()
        num_values += len(of.fields)
        _check_num_values(num_values)
        fields = of.fields_by_number
        for number, value in wire_fields(part):
            num_values += 1
            if num_values > most:
                _check_num_values(num_values)
            field = fields.get(number)
            if isinstance(value, memoryview) and field is not None and field.type == FieldDescriptor.TYPE_MESSAGE:
                waiting.append((value, field.message_type))


def _check_num_values(num_values: int) -> None:
    limits().check("message_values", num_values, what="the number of values in a protobuf message")


def check_depth(message: Any) -> None:
    """Refuse a parsed message with too many levels.

    Raises:
        LimitError: It has.
    """
    level, depth = [message], 1
    while level:
        limits().check("nesting", depth, what="the depth of a protobuf message")
        level = [inner for each in level for inner in _messages_in(each)]
        depth += 1


def _messages_in(message: Any) -> list[Any]:
    found: list[Any] = []
    for field, value in type(message).ListFields(message):
        kind = field.message_type
        if kind is None:
            continue
        if kind.GetOptions().map_entry:
            if kind.fields_by_number[2].message_type is not None:
                found.extend(value.values())
        elif field.has_presence:
            found.append(value)
        else:
            found.extend(value)
    return found
