"""Paths to the numbers inside a message: `position`, `data[0:7]`, `transforms[child_frame_id=tool].transform.translation`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bagmill.errors import DecodeError
from bagmill.messages.tree import child, children, is_list

_NAME = re.compile(r"[^.\[\]\s]+")
_PICK = re.compile(
    r"\[\s*+(?:(?P<index>\d{1,18})|(?P<first>\d{0,18})\s*+:\s*+(?P<end>\d{0,18})"
    r"|(?P<conditions>[^\[\]:\"'=]++=(?:[^\[\]\"']|\"[^\"]*+\"|'[^']*+')*+))\s*+\]",
    re.ASCII,
)
_CONDITION = re.compile(
    r"\s*+(?P<key>[^\s\[\]=,\"']++)\s*+=\s*+"
    r"(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)'|(?P<bare>[^,\"'\]]*+))\s*+(?:,|$)"
)
_MOST_CHARACTERS = 1 << 16
"""Of a path."""
_MOST_SHOWN = 200
"""Of a path, in an error."""
_MOST_IN_NAME = 1000
NAME_LISTS = ("name", "names", "joint_names")
"""Fields that name what runs parallel to them in the same message."""
ID_LISTS = re.compile(r"(.*_)?ids", re.IGNORECASE)
"""What a list is called whose whole numbers name what runs parallel to it."""
_EXAMPLES = "Examples: position, position[3], data[0:7], motors[:].q, transforms[child_frame_id=tool].transform"


@dataclass(frozen=True, slots=True)
class Selector:
    """Chooses the one element of a list whose texts or numbers are as said."""

    conditions: tuple[tuple[tuple[str, ...], str], ...]
    """(way inside the element, what stands there as text): all of them must hold."""

    def __str__(self) -> str:
        return ", ".join(f"{'.'.join(way)}={_quoted(text)}" for way, text in self.conditions)


Step = str | int | slice | Selector


@dataclass(frozen=True, slots=True)
class FieldPath:
    """A parsed path: names to descend by; integers, slices and selectors to pick from lists with."""

    text: str
    steps: tuple[Step, ...]

    def with_steps(self, steps: tuple[Step, ...]) -> FieldPath:
        """The path of other steps, spelled out."""
        return replace(self, text=spell(steps), steps=steps)


class NotInMessageError(DecodeError):
    """A message that does not hold what is looked for: it may be another message's business."""


class SeveralElementsError(DecodeError):
    """A selector that several elements of a message fit."""


def parse_field_path(text: str) -> FieldPath:
    """Parse a path.

    Raises:
        DecodeError: It is none, or a slice in it is empty.
    """
    if len(text) > _MOST_CHARACTERS:
        raise DecodeError(f"{_shown(text)} is no path to a field", remedy=_EXAMPLES)
    steps: list[Step] = []
    rest = text
    while True:
        name = _NAME.match(rest)
        if name is None:
            raise DecodeError(f"{_shown(text)} is no path to a field", remedy=_EXAMPLES)
        steps.append(name[0])
        rest = rest[name.end() :]
        while found := _PICK.match(rest):
            steps.append(_parse_pick(found, text))
            rest = rest[found.end() :]
        if not rest:
            return FieldPath(text, tuple(steps))
        if not rest.startswith("."):
            raise DecodeError(
                f"{_shown(text)} is no path to a field: {_shown(rest)} is not understood", remedy=_EXAMPLES
            )
        rest = rest[1:]


def spell(steps: tuple[Step, ...]) -> str:
    """Steps as the text that is parsed into them."""
    text = ""
    for step in steps:
        match step:
            case str():
                text += f".{step}" if text else step
            case slice():
                text += f"[{'' if step.start is None else step.start}:{'' if step.stop is None else step.stop}]"
            case _:
                text += f"[{step}]"
    return text


def is_addressable(name: str) -> bool:
    """Whether a path can name a field of this name: JSON allows any text, of any length."""
    return len(name) <= _MOST_IN_NAME and _NAME.fullmatch(name) is not None


def follow(message: Any, path: FieldPath) -> Any:
    """The value at a path.

    Where it picks several messages of a list (`transforms[0:2].transform`), a list of what the rest of it gives in each.

    Raises:
        NotInMessageError: A list in the message is too short, or no element of it is as the selector says.
        SeveralElementsError: Several elements are as the selector says.
        DecodeError: The message has no such field.
    """
    return _follow(message, path.steps, path)


def descend(value: Any, name: str, path: FieldPath) -> Any:
    """One step of a path by name.

    Raises:
        DecodeError: The message has no such field, or is a list.
    """
    try:
        return child(value, name)
    except KeyError:
        pass
    if is_list(value):
        raise DecodeError(f"`{path.text}`: expected a message with `{name}`, found a list", remedy="Pick from it: [0]")
    known = ", ".join(part for part, _ in (children(value) or ())[:12]) or "no fields"
    raise DecodeError(f"`{path.text}`: no `{name}` in the message, it has {known}")


def pick(parent: Any, value: Any, step: int | slice | Selector, path: FieldPath) -> Any:
    """One step of a path into a list.

    Args:
        parent: The message that holds the list, which may name the elements in another list of its own.
        value: The list.
        step: Which of its elements.
        path: For error messages.

    Raises:
        NotInMessageError: The list is too short, or no element of it is as the selector says.
        SeveralElementsError: Several elements are as the selector says.
        DecodeError: It is no list.
    """
    if not is_list(value):
        raise DecodeError(f"`{path.text}`: expected a list to pick from, found {type(value).__name__}")
    if isinstance(step, Selector):
        return _selected(parent, value, step, path)
    num_needed = (step.stop or step.start or 0) if isinstance(step, slice) else step + 1
    if len(value) < num_needed:
        raise NotInMessageError(f"`{path.text}`: expected at least {num_needed} elements, found {len(value)}")
    return value[step]


def _shown(text: str) -> str:
    return repr(text) if len(text) <= _MOST_SHOWN else f"{text[:40]!r}… of {len(text):,} characters"


def _parse_pick(match: re.Match[str], text: str) -> Step:
    if match["index"] is not None:
        return int(match["index"])
    if match["conditions"] is not None:
        return _selector(match["conditions"], text)
    first, end = (int(number) if number else None for number in (match["first"], match["end"]))
    if end is not None and end <= (first or 0):
        raise DecodeError(
            f"{_shown(text)}: [{match['first']}:{end}] picks nothing", remedy="Write [first:end], end excluded"
        )
    return slice(first, end)


def _selector(text: str, path: str) -> Selector:
    conditions: list[tuple[tuple[str, ...], str]] = []
    place = 0
    while place < len(text):
        match = _CONDITION.match(text, place)
        if match is None:
            raise DecodeError(
                f"{_shown(path)}: [{text if len(text) <= _MOST_SHOWN else '…'}] is no condition on an element",
                remedy='Write [child_frame_id=tool] or [header.frame_id=base, child_frame_id="tool"]',
            )
        quoted = match["double"] if match["double"] is not None else match["single"]
        wanted = quoted if quoted is not None else match["bare"].rstrip()
        conditions.append((tuple(match["key"].split(".")), wanted))
        place = match.end()
    return Selector(tuple(conditions))


def _quoted(text: str) -> str:
    return text if text and not re.search(r"[\s,\[\]\"'=]", text) else (f"'{text}'" if '"' in text else f'"{text}"')


def _follow(value: Any, steps: tuple[Step, ...], path: FieldPath) -> Any:
    parent: Any = None
    for position, step in enumerate(steps):
        if isinstance(step, str):
            parent, value = value, descend(value, step, path)
            continue
        value = pick(parent, value, step, path)
        rest = steps[position + 1 :]
        if isinstance(step, slice) and rest and isinstance(rest[0], str):
            return [_follow(item, rest, path) for item in value]
    return value


def _selected(parent: Any, value: Any, selector: Selector, path: FieldPath) -> Any:
    beside = _names_beside(parent, value)
    found = [
        n
        for n, element in enumerate(value)
        if all(_says(element, way, beside, n) == wanted for way, wanted in selector.conditions)
    ]
    if len(found) == 1:
        return value[found[0]]
    if found:
        raise SeveralElementsError(
            f"`{path.text}`: {len(found)} elements have {selector}", remedy="Add a condition that tells them apart"
        )
    raise NotInMessageError(f"`{path.text}`: none of the message's {len(value)} elements has {selector}")


def _names_beside(message: Any, elements: Any) -> Mapping[str, tuple[str, ...]]:
    """What other lists of the same message call the elements, by the lists' own names: of texts, and of whole numbers.

    Under an empty name the first list of texts or ids: `name` finds it whatever it is called.
    """
    beside: dict[str, tuple[str, ...]] = {}
    for field, part in children(message) or ():
        if part is not elements and is_list(part) and len(part) == len(elements) and len(part):
            texts = tuple(map(plain_text, part))
            if all(text is not None for text in texts):
                beside[field] = texts  # type: ignore[assignment]
                if all(isinstance(item, str) for item in part) or ID_LISTS.fullmatch(field):
                    beside.setdefault("", beside[field])
    return beside


def plain_text(value: Any) -> str | None:
    """A text, whole number or truth value as a selector writes it, of a list of one its element; None of anything else."""
    if is_list(value) and len(value) == 1:
        value = value[0]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str | int) or (hasattr(value, "dtype") and value.dtype.kind in "iu" and value.ndim == 0):
        return str(value)
    return None


def _says(element: Any, way: tuple[str, ...], beside: Mapping[str, tuple[str, ...]], place: int) -> str | None:
    """What stands in an element at a way inside it, or what a list beside it calls the element; None: nothing does."""
    value = element
    for position, part in enumerate(way):
        if position and is_list(value) and len(value):
            value = value[0]
        try:
            value = child(value, part)
        except KeyError:
            if position or len(way) > 1:
                return None
            named = beside.get(part) or (beside.get("") if part in NAME_LISTS else None)
            return None if named is None else named[place]
    return plain_text(value)
