"""One view of decoded messages, whatever decoded them: a branch has named children, everything else is a leaf."""

from __future__ import annotations

import keyword
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import numpy as np

Branch = tuple[tuple[str, Any], ...]

_ROS_STAMPS = ("builtin_interfaces/msg/Time", "std_msgs/msg/Header")
_PROTOBUF_STAMP = "google.protobuf.Timestamp"
_SECONDS = frozenset(("sec", "secs", "seconds"))
_NANOSECONDS = frozenset(("nsec", "nsecs", "nanosec", "nanosecs", "nanos", "nanoseconds"))
_PADDING_FIELD = "structure_needs_at_least_one_member"


def children(value: Any) -> Branch | None:
    """The named parts of a message in the order of its definition; None where the value is a leaf or a list.

    Protobuf messages and optional fields that are not set are left out: their defaults are nobody's measurement.
    """
    if isinstance(value, dict):
        return tuple((str(name), child) for name, child in value.items())
    if (names := _ros_fields(type(value))) is not None:
        return tuple((name, getattr(value, attribute)) for name, attribute in names)
    if (descriptor := getattr(value, "DESCRIPTOR", None)) is not None:
        return tuple(
            (field.name, _without_map(getattr(value, field.name)))
            for field in descriptor.fields
            if not field.has_presence or value.HasField(field.name)
        )
    return None


def child(value: Any, name: str) -> Any:
    """The part of a message with a name.

    Raises:
        KeyError: There is none, or it is not set.
    """
    if (names := _ros_fields(type(value))) is not None:
        for known, attribute in names:
            if known == name:
                return getattr(value, attribute)
        raise KeyError(name)
    return dict(children(value) or ())[name]


def is_list(value: Any) -> bool:
    """Whether a value is a list of things, numbers or not."""
    return not isinstance(value, str | bytes | Mapping) and isinstance(value, Sequence | np.ndarray)


def is_stamp(value: Any) -> bool:
    """Whether a value is a point in time, or a ROS header, which holds one and nothing to train on."""
    message_type = getattr(value, "__msgtype__", None)
    if message_type is not None:
        return message_type in _ROS_STAMPS
    if isinstance(value, dict):
        return is_stamp(value.get("stamp")) or (
            len(value) == 2 and not _SECONDS.isdisjoint(value) and not _NANOSECONDS.isdisjoint(value)
        )
    descriptor = getattr(value, "DESCRIPTOR", None)
    return descriptor is not None and bool(descriptor.full_name == _PROTOBUF_STAMP)
