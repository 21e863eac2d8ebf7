"""Protobuf descriptors out of a recording, written anew before the library makes types of them.

The library takes for granted that descriptors come from its own compiler: of others, such as a map whose entries are not made of
a key 1 and a value 2, it crashes. So nothing is handed on but what reading messages takes, and that is checked here.

Source: google/protobuf/descriptor.proto; protobuf.dev, "Language Guide" (names, numbers, maps, oneofs).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
)

from bagmill.errors import DecodeError
from bagmill.limits import limits

_NAME: Final = re.compile(r"[A-Za-z_]\w*+", re.ASCII)
_FULL_NAME: Final = re.compile(r"[A-Za-z_]\w*+(?:\.[A-Za-z_]\w*+)*+", re.ASCII)
_NUMBERS: Final = range(1, 1 << 29)
_Field = FieldDescriptorProto
_KINDS: Final = {
    _Field.TYPE_MESSAGE: "message",
    _Field.TYPE_GROUP: "message",
    _Field.TYPE_ENUM: "enum",
}
_NO_KEYS: Final = frozenset(
    {
        _Field.TYPE_DOUBLE,
        _Field.TYPE_FLOAT,
        _Field.TYPE_BYTES,
        _Field.TYPE_MESSAGE,
        _Field.TYPE_GROUP,
        _Field.TYPE_ENUM,
    }
)
"""What the keys of a map cannot be."""


@dataclass(frozen=True, slots=True)
class _Declared:
    """A message or enum type, by its full name."""

    proto: DescriptorProto | EnumDescriptorProto
    holder: str
    """Full name of the message that it is declared in; of its package at the top."""
    file: str

    @property
    def kind(self) -> str:
        return "message" if isinstance(self.proto, DescriptorProto) else "enum"

    @property
    def is_map_entry(self) -> bool:
        return isinstance(self.proto, DescriptorProto) and self.proto.options.map_entry


def sound_descriptors(data: bytes) -> list[FileDescriptorProto]:
    """The files of a set of descriptors, each behind those that it depends on.

    Args:
        data: A FileDescriptorSet, as a recording has it.

    Raises:
        DecodeError: Something in it is not as the protobuf compiler writes it.
        LimitError: Types inside too many others, or too many fields.
        google.protobuf.message.DecodeError: It is no FileDescriptorSet.
    """
    files = FileDescriptorSet.FromString(data).file
    by_name = {file.name: file for file in files}
    if len(by_name) < len(files):
        raise DecodeError("two files of the protobuf descriptors have one name")
    declared = {name: found for file in files for name, found in _declarations(file)}
    num_declared = sum(1 for file in files for _ in _declarations(file))
    if len(declared) < num_declared:
        raise DecodeError("two types of the protobuf descriptors have one name")
    limits().check("type_fields", _num_fields(declared), what="the number of fields in the protobuf descriptors")
    ordered = _in_order(by_name)
    types = _Types(declared, by_name.keys())
    return [types.file(file) for file in ordered]


def num_fields_in(files: Sequence[FileDescriptorProto]) -> int:
    """Fields and enums' values of all types that sound files declare."""
    return _num_fields({name: found for file in files for name, found in _declarations(file)})


def _num_fields(declared: Mapping[str, _Declared]) -> int:
    return sum(
        len(found.proto.field) if isinstance(found.proto, DescriptorProto) else len(found.proto.value)
        for found in declared.values()
    )


def _declarations(file: FileDescriptorProto) -> Iterator[tuple[str, _Declared]]:
    """(full name, type) of everything that a file declares."""
    if file.package and not _FULL_NAME.fullmatch(file.package):
        raise DecodeError(f"{file.package[:80]!r} is no name of a protobuf package")
    waiting: list[tuple[str, Any, int]] = [(file.package, file, 0)]
    while waiting:
        holder, proto, depth = waiting.pop()
        limits().check("nesting", depth, what="the depth of protobuf types declared inside one another")
        messages = proto.nested_type if isinstance(proto, DescriptorProto) else proto.message_type
        for each in (*messages, *proto.enum_type):
            _check_name(each.name)
            name = f"{holder}.{each.name}" if holder else each.name
            yield name, _Declared(each, holder, file.name)
            if isinstance(each, DescriptorProto):
                waiting.append((name, each, depth + 1))


def _in_order(files: Mapping[str, FileDescriptorProto]) -> list[FileDescriptorProto]:
    """The files, each behind its dependencies."""
    ordered: dict[str, FileDescriptorProto] = {}
    left = {name: [each for each in file.dependency if each in files] for name, file in files.items()}
    users: dict[str, list[str]] = {}
    for name, dependencies in left.items():
        for each in dependencies:
            users.setdefault(each, []).append(name)
    num_left = {name: len(dependencies) for name, dependencies in left.items()}
    ready = [name for name, number in num_left.items() if not number]
    while ready:
        name = ready.pop()
        ordered[name] = files[name]
        for user in users.get(name, ()):
            num_left[user] -= 1
            if not num_left[user]:
                ready.append(user)
    if len(ordered) < len(files):
        raise DecodeError("files of the protobuf descriptors depend on each other in a circle")
    return list(ordered.values())


class _Types:
    """Writes descriptors anew, with every name of a type in full."""

    def __init__(self, declared: Mapping[str, _Declared], files: Collection[str]) -> None:
        self._declared = declared
        self._files = files

    def file(self, given: FileDescriptorProto) -> FileDescriptorProto:
        # Files that only say how messages are written, or checked, are often left out.
        known = dict.fromkeys(name for name in given.dependency if name in self._files)
        made = FileDescriptorProto(name=given.name, package=given.package, dependency=known)
        if given.HasField("syntax"):
            made.syntax = given.syntax
        if given.HasField("edition"):
            made.edition = given.edition
        _copy_features(given, made)
        made.enum_type.extend(self._enum(each) for each in given.enum_type)
        made.message_type.extend(self._message(each, given.package) for each in given.message_type)
        return made

    def _enum(self, given: EnumDescriptorProto) -> EnumDescriptorProto:
        made = EnumDescriptorProto(name=given.name)
        if not given.value:
            raise DecodeError(f"the protobuf enum {given.name} has no values")
        for value in given.value:
            _check_name(value.name)
            made.value.add(name=value.name, number=value.number)
        if given.options.allow_alias:
            made.options.allow_alias = True
        _copy_features(given, made)
        return made

    def _message(self, given: DescriptorProto, holder: str) -> DescriptorProto:
        name = f"{holder}.{given.name}" if holder else given.name
        made = DescriptorProto(name=given.name)
        if given.options.map_entry:
            _check_map_entry(given, name)
            made.options.map_entry = True
        _copy_features(given, made)
        for oneof in given.oneof_decl:
            _check_name(oneof.name)
            made.oneof_decl.add(name=oneof.name)
        made.enum_type.extend(self._enum(each) for each in given.enum_type)
        made.nested_type.extend(self._message(each, name) for each in given.nested_type)
        made.field.extend(self._field(each, name, num_oneofs=len(given.oneof_decl)) for each in given.field)
        _check_apart("fields", name, [field.name for field in given.field], [field.number for field in given.field])
        return made

    def _field(self, given: FieldDescriptorProto, message: str, *, num_oneofs: int) -> FieldDescriptorProto:
        _check_name(given.name)
        where = f"the protobuf field {message}.{given.name}"
        if given.number not in _NUMBERS:
            raise DecodeError(f"{where} has the number {given.number}, which none can have")
        made = FieldDescriptorProto(name=given.name, number=given.number, label=given.label)
        if given.type_name:
            found, declared = self._resolved(given.type_name, message, where)
            wanted = _KINDS.get(given.type, declared.kind) if given.HasField("type") else declared.kind
            if wanted != declared.kind or (given.HasField("type") and given.type not in _KINDS):
                raise DecodeError(f"{where} is of the type {found}, which is of another kind")
            is_entry = declared.is_map_entry
            if is_entry and (declared.holder != message or given.label != _Field.LABEL_REPEATED):
                raise DecodeError(f"{where} is of the entries of a map that is not its own")
            default = _Field.TYPE_MESSAGE if declared.kind == "message" else _Field.TYPE_ENUM
            made.type, made.type_name = (given.type if given.HasField("type") else default), f".{found}"
            if is_entry and made.type != _Field.TYPE_MESSAGE:
                raise DecodeError(f"{where} is a map that is no message")
        elif given.type in _KINDS or not given.HasField("type"):
            raise DecodeError(f"{where} does not say its type")
        else:
            made.type = given.type
        if given.HasField("oneof_index"):
            if not 0 <= given.oneof_index < num_oneofs or given.label == _Field.LABEL_REPEATED:
                raise DecodeError(f"{where} is of a oneof that is not there")
            made.oneof_index = given.oneof_index
        if given.proto3_optional:
            made.proto3_optional = True
        if given.options.HasField("packed"):
            made.options.packed = given.options.packed
        _copy_features(given, made)
        return made

    def _resolved(self, name: str, message: str, where: str) -> tuple[str, _Declared]:
        """The full name of a type that a field refers to, looked for from the inside out where it is not in full."""
        if name.startswith("."):
            candidates: Sequence[str] = (name[1:],)
        else:
            scope = message.split(".")
            candidates = [".".join((*scope[:depth], name)) for depth in range(len(scope), -1, -1)]
        for candidate in candidates:
            if candidate in self._declared:
                return candidate, self._declared[candidate]
        raise DecodeError(f"{where} is of the type {name[:80]!r}, which is not among the descriptors")


def _check_map_entry(entry: DescriptorProto, name: str) -> None:
    fields = {field.number: field for field in entry.field}
    key, value = fields.get(1), fields.get(2)
    is_sound = (
        key is not None
        and value is not None
        and len(entry.field) == 2
        and (key.name, value.name) == ("key", "value")
        and key.label == value.label == _Field.LABEL_OPTIONAL
        and key.HasField("type")
        and key.type not in _NO_KEYS
        and value.type != _Field.TYPE_GROUP
        and not (entry.nested_type or entry.enum_type or entry.oneof_decl or entry.extension)
        and "." in name
    )
    if not is_sound:
        raise DecodeError(f"the entries of the protobuf map {name} are not made of a key 1 and a value 2")


def _check_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise DecodeError(f"{name[:80]!r} is no name of a protobuf type or field")


def _check_apart(noun: str, message: str, names: Sequence[str], numbers: Sequence[int]) -> None:
    if len({*names}) < len(names) or len({*numbers}) < len(numbers):
        raise DecodeError(f"two {noun} of the protobuf type {message} have one name or number")


def _copy_features(given: Any, made: Any) -> None:
    """What an edition's file says of how its fields are read."""
    if given.options.HasField("features"):
        features, copied = given.options.features, made.options.features
        for field, value in features.ListFields():
            if not field.is_extension and field.message_type is None:
                setattr(copied, field.name, value)
