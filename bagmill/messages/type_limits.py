"""What a ROS definition asks for, held against the limits before anything is made of it.

A few lines can define a type that stands inside itself, doubles at every level, or holds a million of another: whoever makes a
decoder of it, or walks over a message by it, would not come to an end.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

from bagmill.errors import DecodeError
from bagmill.limits import limits
from bagmill.messages.ros_walk import SIZES, fields_of

_TEXT_BYTES = 4
"""Of a text or list on the wire at least: its length."""


class TypeSize(NamedTuple):
    """What one value of a type comes to."""

    num_fields: int
    """With all types inside written out; a list counts as one value of its items, an array of numbers as one field, a type
    without fields as one, too."""
    depth: int
    """Types inside one another."""
    min_bytes: int
    """On the wire, with every text and list empty and without alignment."""
    num_listed: float
    """Values that a byte of a message can come to in a list, at most."""


def check_types(store: Typestore, root: str, *, message_encoding: str) -> TypeSize:
    """Refuse types that ask for too much.

    Args:
        store: That defines the type and all types inside it.
        root: The type.
        message_encoding: `cdr` or `ros1`.

    Raises:
        LimitError: Too many levels or fields, or an array that is too long.
        DecodeError: A type that stands inside itself, or a list of a type without fields.
    """
    known: dict[str, TypeSize] = {}

    def size_of(name: str, way: tuple[str, ...]) -> TypeSize:
        if name in way:
            raise DecodeError(f"the type {name} stands inside itself: {' → '.join((*way[way.index(name) :], name))}")
        limits().check("nesting", len(way) + 1, what=f"the depth of the types inside {root}")
        found = known.get(name)
        if found is None:
            fields = fields_of(store, name, message_encoding=message_encoding)
            sizes = [_size_of_field(kind, field, lambda inner: size_of(inner, (*way, name))) for field, kind in fields]
            found = known[name] = TypeSize(
                max(sum(size.num_fields for size in sizes), 1),
                1 + max((size.depth for size in sizes), default=0),
                sum(size.min_bytes for size in sizes),
                max((size.num_listed for size in sizes), default=0.0),
            )
            limits().check("type_fields", found.num_fields, what=f"the number of fields of {name}, written out,")
        limits().check("nesting", len(way) + found.depth, what=f"the depth of the types inside {root}")
        return found

    return size_of(root, ())


def _size_of_field(kind: FieldDesc, field: str, size_of: Callable[[str], TypeSize]) -> TypeSize:
    if kind[0] == Nodetype.BASE:
        return TypeSize(1, 0, SIZES.get(kind[1][0], _TEXT_BYTES), 0.0)
    if kind[0] == Nodetype.NAME:
        return size_of(kind[1])
    item, length = kind[1]
    is_numbers = item[0] == Nodetype.BASE and item[1][0] in SIZES
    inner = _size_of_field(item, field, size_of)
    if kind[0] == Nodetype.ARRAY:
        limits().check("array_length", length, what=f"the length of the array `{field}`")
        num_fields = 1 if is_numbers else length * inner.num_fields
        return TypeSize(num_fields, inner.depth, length * inner.min_bytes, inner.num_listed)
    if not inner.min_bytes:
        raise DecodeError(f"`{field}` is a list of a type without fields: its length costs no bytes, and can be any")
    listed = 0.0 if is_numbers else inner.num_fields / inner.min_bytes
    return TypeSize(inner.num_fields, inner.depth, _TEXT_BYTES, max(listed, inner.num_listed))
