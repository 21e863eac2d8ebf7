"""The subset of OMG IDL 4.2 in which ROS 2 writes message definitions, read into the sections of the .msg form.

Source: design.ros2.org, "Mapping from .msg to IDL"; OMG IDL 4.2, chapter 7.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final, NamedTuple, NoReturn

from bagmill.definitions.idl_numbers import evaluate
from bagmill.definitions.names import BUILT_IN
from bagmill.definitions.sections import Entry, Sections
from bagmill.definitions.unreadable import UnreadableDefinitionError
from bagmill.limits import limits

_TOKEN = re.compile(
    r"(?P<skipped>/\*.*?(?:\*/|\Z)|//[^\n]*+|^[ \t]*+#[^\n]*+|^=++[ \t]*+$|^IDL:[^\n]*+)"
    r'|(?P<token>"(?:[^"\\]|\\.)*+(?:"|\Z)|[A-Za-z_]\w*+(?:::\w++)*+|\d[\w.]*+|::|\S)',
    re.ASCII | re.DOTALL | re.MULTILINE,
)
"""A comment, a preprocessor's line or a title, which are passed over; or a token. What is not closed goes on to the text's end,
so that no place is read twice."""
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
    found = _TOKEN.finditer(text.replace("\r\n", "\n"))
    return _Reader([match["token"] for match in found if match["token"] is not None]).read()


class _Type(NamedTuple):
    """What stands before a member's name."""

    name: str
    length: str | None = None
    """As of `Entry.length`."""
    bound: str = ""
    """As of `Entry.bound`."""


class _Reader:
    """Goes over the tokens once."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._position = 0
        self._scope: list[str] = []
        self._fields: dict[str, list[Entry]] = {}
        self._aliases: dict[str, _Type] = {}
        self._constants: dict[str, list[str]] = {}
        """Full name → the tokens of the value."""

    def read(self) -> Sections:
        while self._position < len(self._tokens):
            self._definition()
        return {name: tuple(entries) for name, entries in self._fields.items()}

    def _definition(self) -> None:
        match word := self._next():
            case "module":
                self._scope.append(self._next())
                self._expect("{")
                if len(self._scope) > limits().nesting:
                    raise UnreadableDefinitionError("the IDL has modules inside too many others (limit `nesting`)")
            case "}":
                self._scope.pop() if self._scope else self._refuse(word)
                self._skip(";")
            case "struct":
                self._struct()
            case "enum":
                self._next()
                self._expect("{")
                while self._next() != "}":
                    pass
            case "typedef":
                for alias, type_ in self._members(self._type()):
                    self._aliases[self._full(alias)] = type_
            case "const":
                self._constant()
            case "@":
                self._annotation()
            case ";":
                pass
            case _:
                self._refuse(word)

    def _struct(self) -> None:
        name = self._full(self._next())
        if self._skip(";"):
            return  # said beforehand, defined later
        entries = self._fields.setdefault(name, [])
        self._expect("{")
        while not self._skip("}"):
            if self._skip("@"):
                self._annotation()
                continue
            entries += (
                Entry(type_.name, type_.length, member, None, type_.bound)
                for member, type_ in self._members(self._type())
                if member != _EMPTY_MEMBER
            )

    def _constant(self) -> None:
        type_ = self._type()
        name = self._next()
        self._expect("=")
        parts = self._until(";")
        owner = "/".join(self._scope).removesuffix(_CONSTANTS)
        self._constants[self._full(name)] = parts
        self._fields.setdefault(owner, []).append(Entry(type_.name, None, name, "".join(parts).strip('"'), type_.bound))

    def _type(self) -> _Type:
        """What comes next."""
        word = self._next()
        if word == "sequence":
            self._expect("<")
            item = self._type() if self._peek() != "sequence" else self._refuse_nested()
            if item.length is not None:
                self._refuse_nested()
            count = f"<={self._number('>')}" if self._skip(",") else ""
            if not count:
                self._expect(">")
            return _Type(item.name, count, item.bound)
        if word in {"string", "wstring"}:
            return _Type(word, None, f"<={self._number('>')}" if self._skip("<") else "")
        while word in {"unsigned", "long", "unsigned long"} and self._peek() in {"long", "short"}:
            word = f"{word} {self._next()}"
        if word in _WORDS or word in BUILT_IN:
            return _Type(_WORDS.get(word, word))
        name = self._next() if word == "::" else self._found(word, self._aliases) or self._found(word, self._fields)
        name = name or (word if "::" in word else self._full(word))
        name = name.replace("::", "/")
        return self._aliases.get(name, _Type(name))

    def _members(self, type_: _Type) -> Iterator[tuple[str, _Type]]:
        """Name and type of every member or alias up to the next semicolon."""
        while True:
            name = self._next()
            if self._skip("["):
                if type_.length is not None:
                    self._refuse_nested()
                yield name, type_._replace(length=str(self._number("]")))
            else:
                yield name, type_
            if not self._skip(","):
                self._expect(";")
                return

    def _number(self, end: str) -> int:
        """The whole number that an expression before `end` means; `end` is passed over."""
        value = evaluate(self._until(end), self._value_of)
        if value < 0:
            raise UnreadableDefinitionError(f"the IDL has {value} where a length is due")
        return value

    def _until(self, end: str) -> list[str]:
        """The tokens before `end`, which is passed over."""
        parts: list[str] = []
        while (word := self._next()) != end:
            if parts and word == parts[-1] and word in "<>":
                parts[-1] += word  # an operator, where no brackets can be
            else:
                parts.append(word)
        return parts

    def _value_of(self, name: str) -> list[str] | None:
        return self._constants.get(self._found(name, self._constants) or "")

    def _found(self, name: str, known: Mapping[str, object]) -> str | None:
        """The full name of what a name means here: the innermost of that name."""
        path = name.replace("::", "/")
        places = ("/".join((*self._scope[:depth], path)) for depth in range(len(self._scope), -1, -1))
        return next((place for place in places if place in known), None)

    def _refuse_nested(self) -> NoReturn:
        raise UnreadableDefinitionError("the IDL has lists of lists, which ROS does not write")

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

    def _refuse(self, token: str) -> NoReturn:
        raise UnreadableDefinitionError(f"the IDL has {token[:40]!r} where a definition is due")
