"""The .msg and .idl files that a user gives, for recordings that do not hold their definitions."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from xxhash import xxh3_128_hexdigest

from bagmill.definitions.comparison import Schema, differences
from bagmill.definitions.idl import parse_idl
from bagmill.definitions.names import own_name, package_of
from bagmill.definitions.sections import (
    needed,
    parse_sections,
    section_text,
    titled,
)
from bagmill.definitions.unreadable import UnreadableDefinitionError
from bagmill.errors import ProfileError
from bagmill.limits import limits
from bagmill.local_paths import local_path
from bagmill.regular_files import read_regular

_TYPE = re.compile(r"[A-Za-z]\w*", re.ASCII)
_PACKAGE = re.compile(r"<name>\s*([A-Za-z]\w*)\s*</name>", re.ASCII)
_REMEDY: Final = "Name a folder that holds `package/msg/Type.msg`, or a workspace of packages"


@dataclass(frozen=True)
class GivenDefinitions:
    """Definitions by type, as plain data: they cross to other processes and machines with what they are for."""

    place: str
    """The folder, as it was named."""
    texts: Mapping[str, str]
    """Full name of a type → its own lines in the .msg form."""
    digest: str = field(init=False)
    """32 hex digits over all types and texts: the same content in another place has the same."""

    def __post_init__(self) -> None:
        parts = (f"{len(part)}:{part}" for name in sorted(self.texts) for part in (name, self.texts[name]))
        object.__setattr__(self, "digest", xxh3_128_hexdigest("".join(parts).encode(errors="replace")))

    def __hash__(self) -> int:
        return hash(self.digest)

    def completed(self, name: str, text: str) -> str:
        """A definition's text with what it lacks, as far as that is given.

        Args:
            name: Of the type, as recorded.
            text: As recorded, in the .msg form; empty where the recording has none.

        Raises:
            UnreadableDefinitionError: A line is no field, constant or comment.
        """
        root = own_name(name, package=package_of(name))
        sections = dict(parse_sections(name, text))
        added: list[str] = []
        while lacking := [
            each
            for each in needed(sections, root)
            if not sections.get(each) and each in self.texts and each not in added
        ]:
            for each in lacking:
                sections[each] = parse_sections(each, self.texts[each])[each]
                added.append(each)
        if not added:
            return text
        of_root = self.texts[root] if root in added else text
        return of_root + "".join(titled(each, self.texts[each]) for each in added if each != root)


def read_definitions(folder: Path, *, place: str | None = None) -> GivenDefinitions:
    """The definitions below a folder: those of packages at any depth, `package/msg/Type.msg` and `.idl`.

    A package is called as its `package.xml` says, else as the folder around `msg`. Where a type is there as .msg and as .idl,
    the .msg counts.

    Args:
        folder: The folder.
        place: How it was named.

    Raises:
        AddressError: It is an address, not a path on this machine.
        ProfileError: There is no such folder, it may not be read, holds no definitions, or holds one type twice with
            different content.
    """
    folder = local_path(folder)
    if not folder.is_dir():
        problem = (
            "is a file, not a folder of definitions" if folder.exists() else "there is no such folder of definitions"
        )
        raise ProfileError([problem], path=folder, remedy=_REMEDY)
    found: dict[str, tuple[Path, str]] = {}
    problems: list[str] = []
    for path, name in sorted(_files(folder), key=lambda each: (each[0].suffix != ".msg", each[0])):
        text = _text(path, name)
        other = found.setdefault(name, (path, text))
        if path.suffix == other[0].suffix and (differing := _differing(name, other[1], text)):
            problems.append(f"{name} is in {other[0]} and in {path}, which differ: {differing}")
    if problems:
        raise ProfileError(problems, path=folder, remedy="Name the folder of one of them")
    if not found:
        raise ProfileError(["holds no .msg and no .idl file"], path=folder, remedy=_REMEDY)
    return GivenDefinitions(place or str(folder), {name: text for name, (_, text) in sorted(found.items())})


def _files(folder: Path) -> Iterator[tuple[Path, str]]:
    """Every file of a definition, with the full name of its type."""

    def refuse(error: OSError) -> None:
        raise ProfileError(
            [f"cannot be read ({error.strerror})"], path=error.filename, remedy="Change its mode or owner"
        ) from error

    for root, folders, files in os.walk(folder.resolve(), onerror=refuse):
        folders[:] = sorted(each for each in folders if not each.startswith("."))
        here = Path(root)
        if here.name in {"srv", "action"}:
            continue
        package: str | None = None
        for file in sorted(files):
            path = here / file
            if path.suffix in {".msg", ".idl"} and _TYPE.fullmatch(path.stem):
                package = package or _package(here)
                yield path, f"{package}/msg/{path.stem}"


def _package(folder: Path) -> str:
    """Name of the package whose definitions lie in a folder."""
    home = folder.parent if folder.name == "msg" else folder
    try:
        content = read_regular(home / "package.xml", most_bytes=limits().schema_bytes)
        declared = _PACKAGE.search(content.decode(errors="replace"))
    except OSError:
        declared = None
    return declared[1] if declared else home.name


def _text(path: Path, name: str) -> str:
    most = limits().schema_bytes
    try:
        content = read_regular(path, most_bytes=most)
    except OSError as err:
        raise ProfileError([f"cannot be read ({err.strerror})"], path=path, remedy="Change its mode or owner") from err
    if len(content) > most:
        raise ProfileError([f"has more than {most:,} bytes (`schema_bytes` in docs/limits.md)"], path=path)
    text = content.decode(errors="replace").removeprefix("\ufeff").replace("\r\n", "\n")
    if path.suffix == ".msg":
        return text
    try:
        return section_text(parse_idl(text)[name])
    except (UnreadableDefinitionError, KeyError):
        return text  # whoever needs it is told that it cannot be read


def _differing(name: str, one: str, other: str) -> str:
    schemas = (Schema(name, "ros2msg", text.encode(), "cdr") for text in (one, other))
    return "" if one == other else differences(*schemas)
