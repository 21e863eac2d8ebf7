"""Two definitions of one type: whether they mean the same, what differs, and which of them says more."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Final

from google.protobuf.descriptor_pb2 import FileDescriptorSet
from google.protobuf.message import DecodeError as ProtobufError

from bagmill.definitions.idl import parse_idl
from bagmill.definitions.names import own_name, package_of
from bagmill.definitions.sections import (
    Entry,
    Sections,
    needed,
    parse_sections,
    section_text,
    titled,
)
from bagmill.definitions.unreadable import UnreadableDefinitionError

_ROS: Final = frozenset({"", "ros1msg", "ros2msg", "ros2idl"})
_MSG: Final = frozenset({"ros1msg", "ros2msg"})
_SAME_TYPES: Final = {
    "ros1": {"byte": "int8", "char": "uint8"},
    "cdr": {"byte": "uint8", "char": "uint8", "octet": "uint8"},
}
_ANNOTATIONS: Final = frozenset({"description", "title", "$comment", "$id", "$schema", "examples"})
_MOST_TOLD: Final = 4
_MOST_DIGITS: Final = 40
"""Of a constant: Python would not write out a number of thousands."""


@dataclass(frozen=True, slots=True)
class Schema:
    """A definition as a recording has it."""

    name: str
    """Of the type, in full where it is a ROS type with a package."""
    encoding: str
    """As of `recordings.Channel.schema_encoding`."""
    data: bytes
    message_encoding: str
    type_hash: str = ""
    """What the writer says identifies the type: ROS 1's md5sum, ROS 2's RIHS; empty or `*` where it does not say."""


def means_the_same(one: Schema, other: Schema) -> bool:
    """Whether messages can be read by either definition and mean the same.

    What one of them lacks, a dependency or everything, is no difference as long as the types' hashes do not differ.
    """
    if (one.name, one.message_encoding) != (other.name, other.message_encoding):
        return False
    if not one.data.strip() or not other.data.strip():
        return one.data.strip() == other.data.strip() or not _is_contradicted(one, other)
    if one.encoding in _ROS and other.encoding in _ROS:
        return _ros_means_the_same(one, other)
    if one.encoding != other.encoding:
        return False
    meaning = {"jsonschema": _json_meaning, "protobuf": _protobuf_meaning}.get(one.encoding)
    return one.data == other.data or (meaning is not None and meaning(one) == meaning(other))


def differences(one: Schema, other: Schema) -> str:
    """What differs between two definitions, field by field where both can be read; empty where nothing does."""
    if one.name != other.name:
        return f"{one.name or 'no schema'} and {other.name or 'no schema'}"
    if one.message_encoding != other.message_encoding:
        return f"messages of {one.message_encoding} and of {other.message_encoding}"
    if one.encoding not in _ROS or other.encoding not in _ROS:
        return "" if means_the_same(one, other) else "two definitions that differ"
    try:
        mine, theirs = ros_sections(one), ros_sections(other)
    except UnreadableDefinitionError as err:
        return "" if means_the_same(one, other) else f"definitions of which one cannot be read: {err}"
    told = _ros_differences(one, mine, theirs)
    if not told and not means_the_same(one, other):
        told = [f"the types' hashes, {one.type_hash} and {other.type_hash}"]
    more = f" and {len(told) - _MOST_TOLD} more" if len(told) > _MOST_TOLD else ""
    return "; ".join(told[:_MOST_TOLD]) + more


def fuller(one: Schema, other: Schema) -> Schema:
    """Of two definitions that mean the same, what both say together; `one` itself where `other` adds nothing."""
    if not other.data.strip():
        return one
    if not one.data.strip():
        return replace(other, type_hash=one.type_hash or other.type_hash)
    both_ros = one.encoding in _ROS and other.encoding in _ROS
    return _completed(one, other) if both_ros else one


def ros_sections(schema: Schema) -> Sections:
    """The types in a ROS definition.

    Raises:
        UnreadableDefinitionError: It cannot be parsed.
    """
    text = schema.data.decode(errors="replace")
    if not text.strip():
        return {}
    return parse_idl(text) if schema.encoding == "ros2idl" else parse_sections(schema.name, text)


def _completed(one: Schema, other: Schema) -> Schema:
    """A ROS definition with the types that it lacks and another has."""
    try:
        mine, theirs = ros_sections(one), ros_sections(other)
    except UnreadableDefinitionError:
        return one
    root = _root(one)
    lacking = [name for name in needed({**theirs, **mine}, root) if not mine.get(name) and theirs.get(name)]
    if not lacking:
        return one
    if root in lacking or one.encoding not in _MSG or other.encoding not in _MSG:
        return replace(other, type_hash=one.type_hash or other.type_hash)
    added = "".join(titled(name, section_text(theirs[name])) for name in lacking)
    return replace(one, data=one.data + added.encode())


def _root(schema: Schema) -> str:
    return own_name(schema.name, package=package_of(schema.name))


def _ros_means_the_same(one: Schema, other: Schema) -> bool:
    try:
        mine, theirs = ros_sections(one), ros_sections(other)
    except UnreadableDefinitionError:
        return one.encoding == other.encoding and _bare_lines(one.data) == _bare_lines(other.data)
    if _ros_differences(one, mine, theirs):
        return False
    types = needed({**theirs, **mine}, _root(one))
    has_gap = any(not mine.get(name) or not theirs.get(name) for name in types)
    return not has_gap or not _is_contradicted(one, other)


def _is_contradicted(one: Schema, other: Schema) -> bool:
    """Whether the types' hashes differ."""
    return len({one.type_hash, other.type_hash} - {"", "*"}) == 2


def _ros_differences(schema: Schema, mine: Sections, theirs: Sections) -> list[str]:
    root = _root(schema)
    names = dict.fromkeys((*needed(mine, root), *needed(theirs, root)))
    told: list[str] = []
    for name in names:
        if mine.get(name) and theirs.get(name):
            of = "" if name == root else f" of {name}"
            told += (f"{what}{of}" for what in _differing(mine[name], theirs[name], schema.message_encoding))
    return told


def _differing(mine: tuple[Entry, ...], theirs: tuple[Entry, ...], message_encoding: str) -> list[str]:
    one = {entry.name: _meaning(entry, message_encoding) for entry in mine}
    other = {entry.name: _meaning(entry, message_encoding) for entry in theirs}
    told = [
        f"`{name}` is {_said(one[name])} in one and {_said(other[name])} in another"
        for name in one
        if name in other and one[name] != other[name]
    ]
    told += (
        f"only one has `{name}` ({_said(one.get(name) or other[name])})"
        for name in {**one, **other}
        if (name in one) != (name in other)
    )
    fields = [[name for name, meaning in each.items() if meaning[2] is None] for each in (one, other)]
    if not told and fields[0] != fields[1]:
        told.append(f"its fields stand in another order ({', '.join(fields[0])}; {', '.join(fields[1])})")
    return told


_Meaning = tuple[str, str | None, str | float | None]


def _meaning(entry: Entry, message_encoding: str) -> _Meaning:
    """(type, count, value) of an entry; bounds and defaults change nothing about what was recorded."""
    type_name = _SAME_TYPES.get(message_encoding, {}).get(entry.type, entry.type)
    count = "" if entry.length is not None and entry.length.startswith("<=") else entry.length
    return type_name, count, None if entry.constant is None else _value(entry.constant, type_name)


def _value(text: str, type_name: str) -> str | float:
    if "string" in type_name:
        return text.strip("\"'")
    if text.lower() in {"true", "false"}:
        return float(text.lower() == "true")
    if len(text) > _MOST_DIGITS:
        return text
    try:
        return int(text, 0)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text


def _said(meaning: _Meaning) -> str:
    type_name, count, value = meaning
    return f"{type_name}{'' if count is None else f'[{count}]'}{'' if value is None else f' = {value}'}"


def _bare_lines(data: bytes) -> list[str]:
    """A definition's lines without comments and spaces: for those that cannot be parsed."""
    lines = ("".join(line.partition("#")[0].split()) for line in data.decode(errors="replace").splitlines())
    return [line for line in lines if line]


def _json_meaning(schema: Schema) -> object:
    try:
        return _without_annotations(json.loads(schema.data or b"{}"))
    except (ValueError, RecursionError):
        return schema.data


def _without_annotations(value: Any) -> Any:
    if isinstance(value, dict):
        # A property may be called `title`; only a text says something to people.
        return {
            key: _without_annotations(part)
            for key, part in value.items()
            if key not in _ANNOTATIONS or isinstance(part, dict)
        }
    return [_without_annotations(part) for part in value] if isinstance(value, list) else value


def _protobuf_meaning(schema: Schema) -> object:
    """The files that the type hangs on, by name, without comments and whatever their order."""
    found = FileDescriptorSet()
    try:
        found.ParseFromString(schema.data)
    except ProtobufError:
        return schema.data
    files = {file.name: file for file in found.file}
    waiting = [
        file.name for file in files.values() if schema.name.startswith(f"{file.package}." if file.package else "")
    ]
    kept: dict[str, bytes] = {}
    while waiting:
        name = waiting.pop()
        if name in kept or name not in files:
            continue
        file = files[name]
        waiting += file.dependency
        file.ClearField("source_code_info")
        kept[name] = file.SerializeToString(deterministic=True)
    return kept
