"""ROS message definitions: the ones a channel carries, with what they lack from ROS's own types."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import lru_cache

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc, Typesdict
from rosbags.typesys.store import Typestore

from bagmill.definitions import UnreadableDefinitionError, own_name, package_of, parse_sections
from bagmill.definitions.idl import parse_idl
from bagmill.definitions.names import UNNAMED_PACKAGE
from bagmill.definitions.sections import needed
from bagmill.errors import DecodeError
from bagmill.messages.foreign import reading_schema
from bagmill.messages.given_definitions import GIVE_DEFINITIONS
from bagmill.messages.reading_store import ReadingStore
from bagmill.messages.ros_bytes import spell_out_bytes
from bagmill.messages.rosbags_types import types_of_msg
from bagmill.messages.standard_types import standard_fields, standard_name, standard_store
from bagmill.messages.type_limits import check_types
from bagmill.recordings.records import Channel

_SCHEMA_ENCODINGS = {"cdr": ("ros2msg", "ros2idl"), "ros1": ("ros1msg",)}

_NAME = re.compile(r"[A-Za-z]\w*(?:/[A-Za-z]\w*)*", re.ASCII)
_LOCK = threading.Lock()
_NO_FIELDS: list[tuple[str, FieldDesc]] = [("structure_needs_at_least_one_member", (Nodetype.BASE, ("uint8", 0)))]
"""As rosbags has it."""


def ros_definitions(channel: Channel) -> ReadingStore:
    """The definitions behind a channel of message encoding `cdr` or `ros1`, ready to deserialise its type.

    A type that the channel's definition lacks is taken from ROS's own; one without a package is looked for as ROS does.

    Raises:
        DecodeError: An unknown schema encoding, a definition that cannot be parsed or that lacks a type it uses, or no
            definition of a type that is not among ROS's own.

    Source: mcap.dev, "Well-known schema encodings" (ros1msg, ros2msg, ros2idl).
    """
    supported = _SCHEMA_ENCODINGS[channel.message_encoding]
    if channel.schema_encoding not in (*supported, ""):
        raise DecodeError(
            f"{channel.message_encoding} messages have no schemas of encoding {channel.schema_encoding!r}",
            channel=channel.topic,
            remedy=f"Supported for {channel.message_encoding} messages: schema encoding {', '.join(supported)}",
        )
    # rosbags registers types through one entry of sys.modules, whoever asks.
    with reading_schema(channel), _LOCK:
        return _store(
            channel.schema_name, channel.schema_encoding, channel.schema_data, message_encoding=channel.message_encoding
        )


@lru_cache(maxsize=1024)
def _store(name: str, encoding: str, data: bytes, *, message_encoding: str) -> ReadingStore:
    if not _NAME.fullmatch(name):
        raise DecodeError(
            f"{name!r} is no name of a ROS type", remedy="The recording's writer left it out or wrote it wrongly"
        )
    # Comments in definitions are not always UTF-8, and some definitions come from Windows.
    text = data.decode(errors="replace").replace("\r\n", "\n")
    store = ReadingStore()
    root, types = _defined(name, encoding, text, message_encoding=message_encoding)
    store.fielddefs.update({each: (constants, fields or _NO_FIELDS) for each, (constants, fields) in types.items()})
    _fill(store, root, message_encoding=message_encoding, has_text=bool(text.strip()))
    size = check_types(store, root, message_encoding=message_encoding)
    store.num_fields, store.num_listed = size.num_fields, size.num_listed
    store.make_classes(types)
    spell_out_bytes(store, message_encoding=message_encoding)
    if root != name:  # it was recorded without its package
        store.fielddefs[name], store.types[name] = store.fielddefs[root], store.types[root]
    store.get_msgdef(name)
    return store


def _defined(name: str, encoding: str, text: str, *, message_encoding: str) -> tuple[str, Typesdict]:
    """The full name of the type that a definition is of, and the types in it that this is made of."""
    root = own_name(name, package=package_of(name))
    try:
        sections = parse_idl(text) if encoding == "ros2idl" else parse_sections(name, text)
        is_unnamed = encoding != "ros2idl" and package_of(root) == UNNAMED_PACKAGE
        if is_unnamed and any(each not in sections for each in needed(sections, root)):
            root = standard_name(name, text, message_encoding=message_encoding) or root
            sections = parse_sections(root, text)
    except UnreadableDefinitionError as err:
        raise DecodeError(f"the {encoding} schema of {name} cannot be used: {err}", remedy=GIVE_DEFINITIONS) from err
    # Of what says nothing, the type that ROS knows with fields is meant.
    meant = {
        each: sections[each]
        for each in needed(sections, root)
        if each in sections and (sections[each] or not standard_fields(each, message_encoding=message_encoding))
    }
    return root, types_of_msg(meant) if text.strip() else {}


def _fill(store: Typestore, root: str, *, message_encoding: str, has_text: bool) -> None:
    """Add the types that a definition lacks from ROS's own.

    Raises:
        DecodeError: One is none of ROS's own.
    """
    waiting = [root]
    seen: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        if name not in store.fielddefs:
            standard = standard_store(name, message_encoding=message_encoding)
            if standard is None:
                lacks = (
                    f"the definition of {root} lacks the type {name}, which is none of ROS's own"
                    if has_text
                    else f"{name or 'a message'} comes without its definition and is none of ROS's own types"
                )
                raise DecodeError(lacks.replace(f"{UNNAMED_PACKAGE}/msg/", ""), remedy=GIVE_DEFINITIONS)
            store.fielddefs[name], store.types[name] = standard.fielddefs[name], standard.types[name]
        waiting += _references(desc for _, desc in store.fielddefs[name][1])


def _references(kinds: Iterable[FieldDesc]) -> list[str]:
    """Names of the message types among fields."""
    names = []
    for kind in kinds:
        item = kind[1][0] if kind[0] == Nodetype.ARRAY or kind[0] == Nodetype.SEQUENCE else kind
        if item[0] == Nodetype.NAME:
            names.append(item[1])
    return names
