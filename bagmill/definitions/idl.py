"""The subset of OMG IDL 4.2 in which ROS 2 writes message definitions, read into the sections of the .msg form.

Source: design.ros2.org, "Mapping from .msg to IDL"; OMG IDL 4.2, chapter 7.4.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from bagmill.definitions.names import BUILT_IN
from bagmill.definitions.sections import Entry, Sections, UnreadableDefinitionError

_COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*|^[ \t]*#[^\n]*|^=+[ \t]*$|^IDL:[^\n]*", re.DOTALL | re.MULTILINE)
_TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|[A-Za-z_]\w*(?:::\w+)*|[-+]?[\w.]+|::|\S', re.ASCII)
_WORDS: Final = {
    "boolean": "bool",
    "octet": "byte",
    "float": "float32",
    "double": "float64",
    "short": "int16",
    "long": "int32",
    "long long": "int64",
    "unsigned short": "uint16",
    "unsigned long": "uint32",
    "unsigned long long": "uint64",
}
_CONSTANTS = "_Constants"
_EMPTY_MEMBER = "structure_needs_at_least_one_member"


@lru_cache(maxsize=256)
def parse_idl(text: str) -> Sections:
    """The types that definitions in IDL hold.

    Args:
        text: One definition, or several with lines of `=` and `IDL: name` between them.

    Raises:
        UnreadableDefinitionError: Something in it is not of the subset that ROS writes.
    """
    return _Reader(_TOKEN.findall(_COMMENT.sub("", text.replace("\r\n", "\n")))).read()


class _Reader:
    """Goes over the tokens once."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._position = 0
        self._scope: list[str] = []
        self._fields: dict[str, list[Entry]] = {}
        self._aliases: dict[str, tuple[str, str | None, str]] = {}

    def read(self) -> Sections:
        while self._position < len(self._tokens):
            self._definition()
        return {name: tuple(entries) for name, entries in self._fields.items()}

    def _definition(self) -> None:
        match word := self._next():
            case "module":
                self._scope.append(self._next())
                self._expect("{")
            case "}":
                self._scope.pop() if self._scope else self._refuse(word)
                self._skip(";")
            case "struct":
                self._struct()
            case "typedef":
                type_name, count, bound = self._type()
                alias, array = self._declarator()
                self._aliases[self._full(alias)] = (type_name, array if array is not None else count, bound)
            case "const":
                self._constant()
            case "@":
                self._annotation()
            case ";":
                pass
            case _:
                self._refuse(word)

    def _struct(self) -> None:
        entries = self._fields.setdefault(self._full(self._next()), [])
        self._expect("{")
        while not self._skip("}"):
            if self._skip("@"):
                self._annotation()
                continue
            type_name, count, bound = self._type()
            name, array = self._declarator()
            if name != _EMPTY_MEMBER:
                entries.append(Entry(type_name, array if array is not None else count, name, None, bound))

    def _constant(self) -> None:
        type_name, _, bound = self._type()
        name = self._next()
        self._expect("=")
        parts: list[str] = []
        while (token := self._next()) != ";":
            parts.append(token)
        owner = "/".join(self._scope).removesuffix(_CONSTANTS)
        self._fields.setdefault(owner, []).append(Entry(type_name, None, name, "".join(parts).strip('"'), bound))

    def _type(self) -> tuple[str, str | None, str]:
        """(type, count, bound) of what comes next."""
        word = self._next()
        if word == "sequence":
            self._expect("<")
            inner, _, bound = self._type()
            count = f"<={self._next()}" if self._skip(",") else ""
            self._expect(">")
            return inner, count, bound
        if word in {"string", "wstring"}:
            bound = ""
            if self._skip("<"):
                bound = f"<={self._next()}"
                self._expect(">")
            return word, None, bound
        while word in {"unsigned", "long", "unsigned long"} and self._peek() in {"long", "short"}:
            word = f"{word} {self._next()}"
        if word in _WORDS or word in BUILT_IN:
            return _WORDS.get(word, word), None, ""
        name = word.replace("::", "/") if "::" in word else self._full(word)
        return self._aliases.get(name, (name, None, ""))

    def _declarator(self) -> tuple[str, str | None]:
        """(name, length of the array) of a member or alias."""
        name, count = self._next(), None
        if self._skip("["):
            count = self._next()
            self._expect("]")
        self._expect(";")
        return name, count

    def _annotation(self) -> None:
        self._next()
        if self._skip("("):
            depth = 1
            while depth:
                depth += {"(": 1, ")": -1}.get(self._next(), 0)

    def _full(self, name: str) -> str:
        return "/".join((*self._scope, name))

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise UnreadableDefinitionError("the IDL breaks off")
        self._position += 1
        return token

    def _skip(self, token: str) -> bool:
        is_next = self._peek() == token
        self._position += is_next
        return is_next

    def _expect(self, token: str) -> None:
        if not self._skip(token):
            raise UnreadableDefinitionError(f"the IDL has {self._peek()[:40]!r} where {token!r} is due")

    def _refuse(self, token: str) -> None:
        raise UnreadableDefinitionError(f"the IDL has {token[:40]!r} where a definition is due")
