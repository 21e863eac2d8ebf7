"""Which type every number of a ROS message has, by its definition."""

from __future__ import annotations

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys.store import Typestore

from bagmill.messages.ros_walk import SIZES, fields_of

_MOST_PATHS = 4096
_MOST_DEEP = 16
"""Definitions may nest types so that they double at every level; no message that one trains on is as large."""


def ros_number_types(store: Typestore, name: str, *, message_encoding: str) -> dict[str, str]:
    """Path → `bool`, `uint8`, `float64`; `float64[]` for a list of any length, `float64[3]` for one of a fixed length.

    Elements of a list of messages have one path: `transforms[:].transform.translation.x`. Texts are left out.

    Args:
        store: Where the type is defined.
        name: Its name.
        message_encoding: `cdr` or `ros1`.
    """
    types: dict[str, str] = {}

    def enter(kind: FieldDesc, path: str, depth: int) -> None:
        if len(types) >= _MOST_PATHS or depth > _MOST_DEEP:
            return
        if kind[0] == Nodetype.BASE:
            if kind[1][0] in SIZES:
                types[path] = kind[1][0]
        elif kind[0] == Nodetype.NAME:
            enter_message(kind[1], f"{path}.", depth + 1)
        else:
            item, length = kind[1]
            if item[0] != Nodetype.BASE:
                enter(item, f"{path}[:]", depth + 1)
            elif item[1][0] in SIZES:
                types[path] = f"{item[1][0]}[{length if kind[0] == Nodetype.ARRAY else ''}]"

    def enter_message(message: str, prefix: str, depth: int) -> None:
        for field, kind in fields_of(store, message, message_encoding=message_encoding):
            enter(kind, f"{prefix}{field}", depth)

    enter_message(name, "", 0)
    return types
