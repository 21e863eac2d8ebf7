"""Protobuf messages held against the limits: a byte of one can stand for a level, and two bytes for a message of any size."""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf.descriptor import FieldDescriptor

from bagmill.limits import limits
from bagmill.messages.protobuf_wire import NUM_VALUES, wire_fields

_MIN_BYTES_OF_MESSAGE = 2
"""A message inside another without a field: its tag and its length."""
_DEPTH = "the depth of a protobuf message"


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
        LimitError: It has too many, or too many levels.
        DecodeError: It is damaged.
    """
    most, inside = limits().message_values, _Inside()
    num_values = len(descriptor.fields)
    # One way down at a time: parts that wait to be walked over could be millions.
    open_ = [(wire_fields(memoryview(data)), inside.of(descriptor), 1)]
    while open_:
        fields, parts, depth = open_[-1]
        for number, value in fields:
            num_values += 1
            part = parts.get(number)
            if part is not None and isinstance(value, memoryview):
                num_values += part.num_fields
                if len(value):
                    deeper = depth + (not part.is_map_entry)
                    limits().check("nesting", deeper, what=_DEPTH)
                    open_.append((wire_fields(value), inside.of(part.descriptor), deeper))
                    break
            if num_values > most:
                _check_num_values(num_values)
        else:
            open_.pop()
    _check_num_values(num_values)


class _Part(NamedTuple):
    """What a field of a message type holds."""

    descriptor: Any
    num_fields: int
    is_map_entry: bool


class _Inside:
    """The message types inside others."""

    def __init__(self) -> None:
        self._known: dict[str, dict[int, _Part]] = {}

    def of(self, descriptor: Any) -> dict[int, _Part]:
        """Number of each field of a type that holds messages → what it holds."""
        known = self._known.get(descriptor.full_name)
        if known is None:
            known = self._known[descriptor.full_name] = {
                field.number: _Part(
                    field.message_type, len(field.message_type.fields), field.message_type.GetOptions().map_entry
                )
                for field in descriptor.fields
                if field.type == FieldDescriptor.TYPE_MESSAGE
            }
        return known


def _check_num_values(num_values: int) -> None:
    limits().check("message_values", num_values, what=NUM_VALUES)


def check_depth(message: Any) -> None:
    """Refuse a parsed message with too many levels.

    Raises:
        LimitError: It has.
    """
    level, depth = [message], 1
    while level:
        limits().check("nesting", depth, what=_DEPTH)
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
