"""Paths to the numbers inside a message: `position`, `data[0:7]`, `transforms[0].transform.translation`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bagmill.errors import DecodeError
from bagmill.messages.tree import child, children, is_list

_NAME = re.compile(r"[^.\[\]\s]+")
_STEP = re.compile(r"(?P<name>[^.\[\]\s]+)(?P<picks>(\[\d+(:\d+)?\])*)")
_PICK = re.compile(r"\[(\d+)(?::(\d+))?\]")
_LAST_PICK = re.compile(r"(?P<parent>.+)\[(?P<first>\d+)(?::(?P<end>\d+))?\]")


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A parsed path: names to descend by, integers and slices to pick from lists with."""

    text: str
    steps: tuple[str | int | slice, ...]


def parse_field_path(text: str) -> FieldPath:
    """Parse a path.

    Raises:
        DecodeError: It is none, or a slice in it is empty.
    """
    steps: list[str | int | slice] = []
    for part in text.split("."):
        match = _STEP.fullmatch(part)
        if match is None:
            raise DecodeError(
                f"{text!r} is no path to a field", remedy="Examples: position, position[3], data[0:7], pose.position"
            )
        steps.append(match["name"])
        for first, end in _PICK.findall(match["picks"]):
            if end and int(end) <= int(first):
                raise DecodeError(f"{text!r}: [{first}:{end}] picks nothing", remedy="Write [first:end], end excluded")
            steps.append(slice(int(first), int(end)) if end else int(first))
    return FieldPath(text, tuple(steps))


def is_addressable(name: str) -> bool:
    """Whether a path can name a field of this name (JSON allows any text)."""
    return _NAME.fullmatch(name) is not None


def follow(message: Any, path: FieldPath) -> Any:
    """The value at a path.

    Where it picks several messages of a list (`transforms[0:2].transform`), a list of what the rest of it gives in each.

    Raises:
        DecodeError: The message has no such field, or a list in it is too short: expected and found.
    """
    return _follow(message, path.steps, path)


def field_width(fields: Mapping[str, int], field: str) -> int | None:
    """How many numbers a path gives, told from an inventory that lists whole fields.

    Args:
        fields: `ChannelContent.fields`.
        field: A path.

    Returns:
        The count, or None where the messages have no such field or not as many numbers there.
    """
    if field in fields:
        return fields[field]
    match = _LAST_PICK.fullmatch(field)
    if match is None or (width := fields.get(match["parent"])) is None:
        return None
    first, end = int(match["first"]), int(match["end"] or int(match["first"]) + 1)
    if f"{match['parent']}[0]" in fields:  # a list of messages: its items are listed one by one
        counts = [fields.get(f"{match['parent']}[{n}]") for n in range(first, end)]
        return None if None in counts else sum(filter(None, counts))
    return end - first if first < end <= width else None


def _follow(value: Any, steps: tuple[str | int | slice, ...], path: FieldPath) -> Any:
    for position, step in enumerate(steps):
        if isinstance(step, str):
            value = _named(value, step, path)
            continue
        value = _picked(value, step, path)
        rest = steps[position + 1 :]
        if isinstance(step, slice) and rest and isinstance(rest[0], str):
            return [_follow(item, rest, path) for item in value]
    return value


def _named(value: Any, name: str, path: FieldPath) -> Any:
    try:
        return child(value, name)
    except KeyError:
        pass
    if is_list(value):
        raise DecodeError(f"`{path.text}`: expected a message with `{name}`, found a list", remedy="Pick from it: [0]")
    known = ", ".join(part for part, _ in (children(value) or ())[:12]) or "no fields"
    raise DecodeError(f"`{path.text}`: no `{name}` in the message, it has {known}")


def _picked(value: Any, step: int | slice, path: FieldPath) -> Any:
    if not is_list(value):
        raise DecodeError(f"`{path.text}`: expected a list to pick from, found {type(value).__name__}")
    num_needed = step.stop if isinstance(step, slice) else step + 1
    if len(value) < num_needed:
        raise DecodeError(f"`{path.text}`: expected at least {num_needed} elements, found {len(value)}")
    return value[step]
