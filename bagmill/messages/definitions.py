"""ROS message definitions: the ones a channel carries, or ROS's own where it carries none."""

from __future__ import annotations

import threading
from functools import lru_cache

from rosbags.typesys import Stores, get_types_from_idl, get_types_from_msg, get_typestore
from rosbags.typesys.store import Typestore

from bagmill.errors import DecodeError
from bagmill.messages.foreign import reading_schema
from bagmill.messages.ros_bytes import spell_out_bytes
from bagmill.recordings.records import Channel

_SCHEMA_ENCODINGS = {"cdr": ("ros2msg", "ros2idl"), "ros1": ("ros1msg",)}

# rosbag2 writes definitions into its SQLite files since Iron: what has none is Humble or older.
_STANDARD_STORES = {
    "cdr": (Stores.ROS2_HUMBLE, Stores.ROS2_FOXY, Stores.LATEST),
    "ros1": (Stores.ROS1_NOETIC,),
}
_SEPARATOR = "=" * 80 + "\n"
_LOCK = threading.Lock()


def ros_definitions(channel: Channel) -> Typestore:
    """The definitions behind a channel of message encoding `cdr` or `ros1`, ready to deserialise its type.

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
    store = _standard_store(name, message_encoding) if not data.strip() else _parsed_store(name, encoding, data)
    spell_out_bytes(store, message_encoding=message_encoding)
    try:
        store.get_msgdef(name)
    except KeyError as err:
        raise DecodeError(
            f"the definition of {name} lacks the type {err}", remedy="Record it with its whole definition"
        ) from err
    return store


def _parsed_store(name: str, encoding: str, data: bytes) -> Typestore:
    # Comments in definitions are not always UTF-8, and some definitions come from Windows.
    text = data.decode(errors="replace").replace("\r\n", "\n")
    store = get_typestore(Stores.EMPTY)
    if encoding != "ros2idl":
        store.register(get_types_from_msg(text, name))
        return store
    types = {}
    for section in text.split(_SEPARATOR):
        lines = section.splitlines()[section.startswith("IDL: ") :]
        # rosbags does not know the preprocessor; every included type has its own section.
        idl = "\n".join(line for line in lines if not line.lstrip().startswith("#"))
        if idl.strip():
            types.update(get_types_from_idl(idl))
    store.register(types)
    return store


def _standard_store(name: str, message_encoding: str) -> Typestore:
    for standard in _STANDARD_STORES[message_encoding]:
        store = get_typestore(standard)
        if name in store.fielddefs:
            return store
    raise DecodeError(
        f"{name or 'a message'} comes without its definition and is none of ROS's own types",
        remedy="Record it as MCAP or with a ROS distribution that stores definitions",
    )
