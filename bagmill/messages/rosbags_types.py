"""Definitions of ROS types in the form in which rosbags keeps them, to make decoders of.

rosbags writes Python code with the names of types and fields in it, and runs that. So nothing but a plain name gets there,
whoever parsed the definition.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc, Typesdict

from bagmill.definitions import Entry
from bagmill.definitions.names import BUILT_IN
from bagmill.errors import DecodeError

_NAME: Final = re.compile(r"[A-Za-z]\w*+", re.ASCII)
_TYPE_NAME: Final = re.compile(r"[A-Za-z]\w*+(?:/[A-Za-z]\w*+)++", re.ASCII)
_MOST_DIGITS: Final = 40
"""Of a constant's number."""


def types_of_msg(sections: Mapping[str, Sequence[Entry]]) -> Typesdict:
    """The types that definitions hold, by full name.

    Raises:
        DecodeError: Something in it is called what no type or field can be called.
    """
    classes: dict[str, str] = {}
    for name, entries in sections.items():
        if not _TYPE_NAME.fullmatch(name):
            raise DecodeError(f"{name[:80]!r} is no name of a ROS type", remedy=_REMEDY)
        # A class is called as its type, with `__` for `/`: two types with one class would be read as one.
        other = classes.setdefault(name.replace("/", "__"), name)
        if other != name:
            raise DecodeError(f"the types {other} and {name} cannot be told apart", remedy=_REMEDY)
        for entry in entries:
            _check_entry(entry, of=name)
    return cast(
        "Typesdict", {name: (_constants(entries), fields_of_msg(entries)) for name, entries in sections.items()}
    )


def fields_of_msg(entries: Sequence[Entry]) -> list[tuple[str, FieldDesc]]:
    """The fields of a type."""
    return [(entry.name, cast("FieldDesc", _kind_of(entry))) for entry in entries if entry.constant is None]


_REMEDY: Final = "The recording's writer left it out or wrote it wrongly"


def _check_entry(entry: Entry, *, of: str) -> None:
    if not _NAME.fullmatch(entry.name):
        raise DecodeError(f"{entry.name[:80]!r} is no name of a field of {of}", remedy=_REMEDY)
    if entry.type not in BUILT_IN and not _TYPE_NAME.fullmatch(entry.type):
        raise DecodeError(f"{entry.type[:80]!r} is no name of a type, for the field {entry.name[:80]} of {of}")


def _constants(entries: Sequence[Entry]) -> list[tuple[str, str, bool | float | str]]:
    taken = {entry.name for entry in entries if entry.constant is None}
    constants = {
        entry.name: (entry.name, entry.type, value)
        for entry in entries
        if entry.constant is not None
        and entry.type in BUILT_IN
        and entry.name not in taken
        and (value := _value_of(entry)) is not None
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
    """A constant's value; None where it is not of ROS's form, or none that Python's code can hold: no message holds it."""
    text = entry.constant or ""
    if entry.type in {"string", "wstring"}:
        return text.strip("\"'")
    if text.lower() in {"true", "false"}:
        return text.lower() == "true"
    if len(text) > _MOST_DIGITS:
        return None
    try:
        value = float(text) if entry.type.startswith("float") else int(text, 0)
    except ValueError:
        return None
    return value if math.isfinite(value) else None
