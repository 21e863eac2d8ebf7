"""Definitions of ROS types in the form in which rosbags keeps them, to make decoders of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc, Typesdict
from rosbags.typesys import get_types_from_idl

from bagmill.definitions import Entry

_SEPARATOR = "=" * 80 + "\n"


def types_of_msg(sections: Mapping[str, Sequence[Entry]]) -> Typesdict:
    """The types that definitions in the .msg form hold, by full name."""
    return cast(
        "Typesdict", {name: (_constants(entries), fields_of_msg(entries)) for name, entries in sections.items()}
    )


def fields_of_msg(entries: Sequence[Entry]) -> list[tuple[str, FieldDesc]]:
    """The fields of a type."""
    return [(entry.name, cast("FieldDesc", _kind_of(entry))) for entry in entries if entry.constant is None]


def _constants(entries: Sequence[Entry]) -> list[tuple[str, str, bool | float | str]]:
    taken = {entry.name for entry in entries if entry.constant is None}
    constants = {
        entry.name: (entry.name, entry.type, value)
        for entry in entries
        if entry.constant is not None and entry.name not in taken and (value := _value_of(entry)) is not None
    }
    return list(constants.values())


def _kind_of(entry: Entry) -> tuple[Nodetype, Any]:
    most_bytes = int(entry.bound.removeprefix("<=") or 0)
    item = (Nodetype.NAME, entry.type) if "/" in entry.type else (Nodetype.BASE, (entry.type, most_bytes))
    if entry.length is None:
        return item
    if entry.length.isdecimal():
        return Nodetype.ARRAY, (item, int(entry.length))
    return Nodetype.SEQUENCE, (item, int(entry.length.removeprefix("<=") or 0))


def _value_of(entry: Entry) -> bool | float | str | None:
    """A constant's value; None where it is not of ROS's form: no message holds it."""
    text = entry.constant or ""
    if entry.type in {"string", "wstring"}:
        return text.strip("\"'")
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    try:
        return float(text) if entry.type.startswith("float") else int(text, 0)
    except ValueError:
        return None


def types_of_idl(text: str) -> Typesdict:
    """The types that definitions in IDL hold, by full name."""
    types: Typesdict = {}
    for section in text.split(_SEPARATOR):
        lines = section.splitlines()[section.startswith("IDL: ") :]
        # rosbags does not know the preprocessor; every included type has its own section.
        idl = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
        if idl.strip():
            types.update(get_types_from_idl(idl))
    return types
