"""Walking over ROS messages by their definitions, field by field, without deserialising them."""

from __future__ import annotations

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

from bagmill.messages.wire import WireReader

SIZES = {
    **dict.fromkeys(("bool", "byte", "char", "octet", "int8", "uint8"), 1),
    **dict.fromkeys(("int16", "uint16"), 2),
    **dict.fromkeys(("int32", "uint32", "float32"), 4),
    **dict.fromkeys(("int64", "uint64", "float64"), 8),
}
"""Bytes of a number, which in CDR is its alignment too."""

_ONLY_IN_CDR = "structure_needs_at_least_one_member"


def fields_of(store: Typestore, name: str, *, message_encoding: str) -> list[tuple[str, FieldDesc]]:
    """The fields of a message type as `message_encoding` writes them: CDR has a byte where there are none."""
    fields = store.fielddefs[name][1]
    return [field for field in fields if message_encoding == "cdr" or field[0] != _ONLY_IN_CDR]


def skip_field(reader: WireReader, kind: FieldDesc, store: Typestore) -> None:
    """Move a reader over one field.

    Args:
        reader: Where the field begins, before its alignment.
        kind: The field's type.
        store: Where the types that it names are defined.

    Raises:
        DecodeError: The message breaks off inside the field.
    """
    if kind[0] == Nodetype.BASE:
        _skip_base(reader, kind[1][0], count=1)
    elif kind[0] == Nodetype.NAME:
        encoding = "cdr" if reader.is_cdr else "ros1"
        for _, part in fields_of(store, kind[1], message_encoding=encoding):
            skip_field(reader, part, store)
    else:
        item, length = kind[1]
        count = length if kind[0] == Nodetype.ARRAY else reader.uint32()
        if item[0] == Nodetype.BASE:
            _skip_base(reader, item[1][0], count=count)
            return
        for _ in range(count):
            before = reader.position
            skip_field(reader, item, store)
            if reader.position == before:
                return  # items without bytes: a damaged count must not keep us here


def _skip_base(reader: WireReader, name: str, *, count: int) -> None:
    if name == "string":
        for _ in range(count):
            reader.byte_sequence()
    elif count:  # CDR does not align for items that are not there
        reader.skip(SIZES[name] * count, alignment=SIZES[name])
