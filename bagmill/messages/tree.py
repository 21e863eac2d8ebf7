"""One view of decoded messages, whatever decoded them: a branch has named children, everything else is a leaf."""

from __future__ import annotations

import dataclasses
import keyword
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from bagmill.messages.timestamp import NANOSECONDS, SECONDS

Branch = tuple[tuple[str, Any], ...]

_ROS_STAMPS = ("builtin_interfaces/msg/Time", "std_msgs/msg/Header")
_PROTOBUF_STAMP = "google.protobuf.Timestamp"
_HEADER = frozenset(("stamp", "frame_id", "seq"))


def children(value: Any) -> Branch | None:
    """The named parts of a message in the order of its definition; None where the value is a leaf or a list.

    Protobuf messages and optional fields that are not set are left out: their defaults are nobody's measurement.
    """
    if isinstance(value, dict):
        return tuple(value.items())
    if isinstance(value, Mapping):
        # Protobuf's maps have no order of their own.
        return tuple((str(name), value[name]) for name in sorted(value))
    if (names := _ros_fields(value.__class__)) is not None:
        return tuple((name, getattr(value, attribute)) for name, attribute in names)
    # Of its class: a message may have a field called `DESCRIPTOR` or `HasField`.
    kind = type(value)
    if (descriptor := getattr(kind, "DESCRIPTOR", None)) is not None:
        return tuple(
            (field.name, getattr(value, field.name))
            for field in descriptor.fields
            if not field.has_presence or kind.HasField(value, field.name)
        )
    return None


def child(value: Any, name: str) -> Any:
    """The part of a message with a name.

    Raises:
        KeyError: There is none, or it is not set.
    """
    if (names := _ros_fields(value.__class__)) is not None:
        for known, attribute in names:
            if known == name:
                return getattr(value, attribute)
        raise KeyError(name)
    return dict(children(value) or ())[name]


def is_list(value: Any) -> bool:
    """Whether a value is a list of things, numbers or not."""
    return not isinstance(value, str | bytes | Mapping) and isinstance(value, Sequence | np.ndarray)


def is_stamp(value: Any) -> bool:
    """Whether a value is a point in time, a duration, or a header, which holds one and nothing to train on."""
    message_type = getattr(value, "__msgtype__", None)
    if message_type is not None:
        return message_type in _ROS_STAMPS or _is_of_two_parts(dict(_ros_fields(value.__class__) or ()))
    if isinstance(value, dict):
        if "stamp" in value:
            return value.keys() <= _HEADER and is_stamp(value["stamp"])
        return _is_of_two_parts(value)
    descriptor = getattr(type(value), "DESCRIPTOR", None)
    return descriptor is not None and bool(descriptor.full_name == _PROTOBUF_STAMP)


def _is_of_two_parts(fields: Mapping[str, Any]) -> bool:
    """Seconds and nanoseconds and nothing else: a point in time or a duration."""
    return len(fields) == 2 and any(name in fields for name in SECONDS) and any(name in fields for name in NANOSECONDS)


@lru_cache(maxsize=4096)  # classes are made anew for every schema, for as long as the process lives
def _ros_fields(kind: type) -> tuple[tuple[str, str], ...] | None:
    """(name, attribute) of a ROS message class's fields: rosbags puts `_` behind names that are Python's keywords."""
    if not dataclasses.is_dataclass(kind):
        return None
    # Constants are fields too, since rosbags marks them in a way that dataclasses do not see, but ones with a default;
    # so is the byte that CDR puts into empty messages.
    attributes = (field.name for field in dataclasses.fields(kind) if field.default is dataclasses.MISSING)
    return tuple(
        (attribute[:-1] if attribute.endswith("_") and keyword.iskeyword(attribute[:-1]) else attribute, attribute)
        for attribute in attributes
    )
