"""ROS's `byte`: one octet without a sign in ROS 2 and IDL, an int8 in ROS 1.

rosbags reads a single `byte` with a sign and a list of them without one, whatever wrote them.
"""

from __future__ import annotations

from typing import cast

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

_MEANT = {"cdr": {"byte": "uint8", "octet": "uint8", "char": "uint8"}, "ros1": {"byte": "int8", "char": "uint8"}}
"""Message encoding → what the type is called that has the same bytes and no second meaning."""


def spell_out_bytes(store: Typestore, *, message_encoding: str) -> None:
    """Replace every `byte`, `octet` and `char` of a store's definitions by the integer that it is.

    Args:
        store: No serialiser may have been made from its definitions yet.
        message_encoding: `cdr` or `ros1`.

    Source: design.ros2.org, "Mapping of interfaces to IDL" (byte → octet); wiki.ros.org/msg, section 2.1 (byte: deprecated
        alias for int8, char: for uint8).
    """
    meant = _MEANT[message_encoding]
    for name, (constants, fields) in list(store.fielddefs.items()):
        store.fielddefs[name] = (constants, [(field, _spelled_out(kind, meant)) for field, kind in fields])


def _spelled_out(kind: FieldDesc, meant: dict[str, str]) -> FieldDesc:
    if kind[0] == Nodetype.BASE:
        name, size = cast("tuple[str, int]", kind[1])
        return cast("FieldDesc", (kind[0], (meant.get(name, name), size)))
    if kind[0] == Nodetype.NAME:
        return kind
    item, length = cast("tuple[FieldDesc, int]", kind[1])
    return cast("FieldDesc", (kind[0], (_spelled_out(item, meant), length)))
