"""A ROS message definition as text: a type and the types it is made of, each a section of lines.

Source: wiki.ros.org/msg; docs.ros.org, "Interfaces"; mcap.dev, "Well-known schema encodings".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Final, NamedTuple

from bagmill.definitions.names import HEADER, KnownNames, own_name, package_of, referred_name
from bagmill.definitions.unreadable import UnreadableDefinitionError

_SEPARATOR_LINE: Final = "=" * 80
_SEPARATOR = re.compile(r"^[ \t]*={20,}[ \t]*$", re.MULTILINE)
_TITLE = re.compile(r"\s*MSG:[ \t]*(?P<name>[\w/]+)[ \t]*(?:\n|$)", re.ASCII)
_LINE = re.compile(
    r"(?P<type>[A-Za-z]\w*+(?:/\w++)*+)[ \t]*+(?P<bound><=[ \t]*+\d{1,12}+)?+"
    r"[ \t]*+(?:\[[ \t]*+(?P<count>(?:<=[ \t]*+)?+\d{0,12}+)[ \t]*+\])?+[ \t]*+(?<=[ \t])"
    r"(?P<name>[A-Za-z]\w*+)[ \t]*+(?P<rest>.*)",
    re.ASCII,
)
"""Never tries a line in two ways (`*+`): what does not fit is refused in the time that it takes to read it."""
_AFTER_NAME = re.compile(r"$|[#=\[\"'+\-.\w]", re.ASCII)
"""Nothing, a comment, a constant's value, or the beginning of a default value."""


class Entry(NamedTuple):
    """One field or constant of a message type."""

    type: str
    """Full: `geometry_msgs/msg/Pose`, `float64`."""
    length: str | None
    """None: one value; `3`: an array; empty or `<=3`: a list."""
    name: str
    constant: str | None = None
    """The value of a constant, as its text has it; None for a field."""
    bound: str = ""
    """Of a text: `<=10`."""


Sections = Mapping[str, tuple[Entry, ...]]
"""Full name of a type → its fields and constants."""


@lru_cache(maxsize=512)
def parse_sections(name: str, text: str) -> Sections:
    """The types that a definition in ROS's .msg form holds.

    Args:
        name: Of the type that is defined first, with or without its package.
        text: One definition, or several with lines of `=` between them.

    Raises:
        UnreadableDefinitionError: A line is no field, constant or comment.
    """
    bodies = split_text(name, text)
    known = KnownNames(bodies)
    return {
        section: tuple(
            entry
            for line in body.splitlines()
            if (entry := _entry(line, package=package_of(section), known=known)) is not None
        )
        for section, body in bodies.items()
    }


def split_text(name: str, text: str) -> dict[str, str]:
    """Full name → lines, of every type in a definition's text; of one that is defined twice, the first that says something.

    Args:
        name: Of the type that is defined first.
        text: As of `parse_sections`.
    """
    package = package_of(name)
    bodies: dict[str, str] = {}
    for number, section in enumerate(_SEPARATOR.split(text.replace("\r\n", "\n").replace("\r", "\n"))):
        title = _TITLE.match(section)
        if number and title is None:
            if section.strip():
                raise UnreadableDefinitionError(f"section {number + 1} does not begin with `MSG: ` and a type's name")
            continue
        titled_as = title["name"] if title and number else name
        section_name = HEADER if number and titled_as == "Header" else own_name(titled_as, package=package)
        if not bodies.get(section_name, "").strip():
            bodies[section_name] = section[title.end() :] if title else section
    return bodies


def needed(sections: Sections, root: str) -> tuple[str, ...]:
    """Full names of the types that a type is made of, itself first, whether they are defined or not."""
    found: dict[str, None] = {}
    waiting = [root]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = None
            waiting += [entry.type for entry in sections.get(name, ()) if "/" in entry.type]
    return tuple(found)


def section_text(entries: Iterable[Entry]) -> str:
    """The lines of a type in the .msg form."""
    return "".join(f"{_line_of(entry)}\n" for entry in entries)


def titled(name: str, text: str) -> str:
    """A type's lines as they stand behind another type's in one text."""
    return f"\n{_SEPARATOR_LINE}\nMSG: {name}\n{text}"


def _line_of(entry: Entry) -> str:
    count = "" if entry.length is None else f"[{entry.length}]"
    value = "" if entry.constant is None else f"={entry.constant}"
    return f"{entry.type}{entry.bound}{count} {entry.name}{value}"


def _entry(line: str, *, package: str, known: KnownNames) -> Entry | None:
    line = line.strip().lstrip("\ufeff")
    if not line or line[0] in "#@":
        return None
    found = _LINE.fullmatch(line)
    rest = found["rest"] if found else ""
    count = found["count"] if found else None
    # `float64 x[3]` is C; read as a default value it would be a field of another size.
    if (
        found is None
        or _AFTER_NAME.match(rest) is None
        or (rest.startswith("[") and count is None)
        or (rest.startswith("=") and count is not None)
    ):
        raise UnreadableDefinitionError(f"the line {line[:80]!r} is no field, constant or comment")
    reference = referred_name(found["type"], package=package, known=known)
    bound = re.sub(r"\s", "", found["bound"] or "")
    if rest.startswith("="):
        value = rest[1:].strip()
        # A text goes on to the end of its line; elsewhere `#` begins a comment.
        value = value if reference in {"string", "wstring"} else value.partition("#")[0].rstrip()
        return Entry(reference, None, found["name"], value, bound)
    return Entry(reference, None if count is None else re.sub(r"\s", "", count), found["name"], None, bound)
