"""ROS message definitions: the ones a channel carries, with what they lack from ROS's own types."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable
from functools import lru_cache

from rosbags.interfaces import Nodetype
from rosbags.interfaces.typing import FieldDesc
from rosbags.typesys import Stores, get_typestore
from rosbags.typesys.store import Typestore

from bagmill.definitions import UnreadableDefinitionError, own_name, package_of, parse_sections
from bagmill.definitions.names import UNNAMED_PACKAGE
from bagmill.definitions.sections import needed
from bagmill.errors import DecodeError
from bagmill.messages.foreign import reading_schema
from bagmill.messages.given_definitions import GIVE_DEFINITIONS
from bagmill.messages.ros_bytes import spell_out_bytes
from bagmill.messages.rosbags_types import types_of_idl, types_of_msg
from bagmill.messages.standard_types import standard_fields, standard_name, standard_store
from bagmill.recordings.records import Channel

_SCHEMA_ENCODINGS = {"cdr": ("ros2msg", "ros2idl"), "ros1": ("ros1msg",)}

_NAME = re.compile(r"[A-Za-z]\w*(?:/[A-Za-z]\w*)*", re.ASCII)
_LOCK = threading.Lock()


def ros_definitions(channel: Channel) -> Typestore:
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


@lru_cache(maxsize=256)
def _store(name: str, encoding: str, data: bytes, *, message_encoding: str) -> Typestore:
    if not _NAME.fullmatch(name):
        raise DecodeError(
            f"{name!r} is no name of a ROS type", remedy="The recording's writer left it out or wrote it wrongly"
        )
    # Comments in definitions are not always UTF-8, and some definitions come from Windows.
    text = data.decode(errors="replace").replace("\r\n", "\n")
    store = get_typestore(Stores.EMPTY)
    root = own_name(name, package=package_of(name))
    if encoding == "ros2idl":
        store.register(types_of_idl(text))
    else:
        root = _register_msg(store, name, encoding, text, message_encoding=message_encoding)
    _fill(store, root, message_encoding=message_encoding, has_text=bool(text.strip()))
    spell_out_bytes(store, message_encoding=message_encoding)
    if root != name:  # it was recorded without its package
        store.fielddefs[name], store.types[name] = store.fielddefs[root], store.types[root]
    store.get_msgdef(name)
    return store


def _register_msg(store: Typestore, name: str, encoding: str, text: str, *, message_encoding: str) -> str:
    """Add the types of a definition in the .msg form, and give the full name of the one it defines."""
    root = own_name(name, package=package_of(name))
    try:
        sections = parse_sections(name, text)
        if package_of(root) == UNNAMED_PACKAGE and any(each not in sections for each in needed(sections, root)):
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
    if text.strip():
        store.register(types_of_msg(meant))
    return root


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
