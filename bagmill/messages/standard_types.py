"""ROS's own message types: for recordings that do not define them."""

from __future__ import annotations

from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from bagmill.definitions import parse_sections
from bagmill.messages.rosbags_types import fields_of_msg

# rosbag2 writes definitions into its SQLite files since Iron: what has none is Humble or older.
_STORES = {
    "cdr": (Stores.ROS2_HUMBLE, Stores.ROS2_FOXY, Stores.LATEST),
    "ros1": (Stores.ROS1_NOETIC,),
}


def standard_store(name: str, *, message_encoding: str) -> Typestore | None:
    """The store that knows one of ROS's own types; None where it is none of them."""
    stores = (get_typestore(standard) for standard in _STORES[message_encoding])
    return next((store for store in stores if name in store.fielddefs), None)


def standard_fields(name: str, *, message_encoding: str) -> list[tuple[str, FieldDesc]]:
    """Fields of one of ROS's own types; empty where it is none, or has none."""
    store = standard_store(name, message_encoding=message_encoding)
    return (
        [] if store is None else [field for field in store.fielddefs[name][1] if not field[0].startswith("structure_")]
    )


def standard_name(name: str, text: str, *, message_encoding: str) -> str | None:
    """The one of ROS's own types that a definition without a package defines, field by field; None where there is none."""
    for standard in _STORES[message_encoding]:
        for candidate in get_typestore(standard).fielddefs:
            if candidate.endswith(f"/{name}"):
                fields = fields_of_msg(parse_sections(candidate, text)[candidate])
                if fields == standard_fields(candidate, message_encoding=message_encoding):
                    return candidate
    return None
