"""A condition's text → its words: numbers, texts, names, signs. Whatever is none of these is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from bagmill.dataset.conditions.bounds import LANGUAGE, MOST_CHARACTERS, WHOLE_NUMBERS, wrong

_TOKEN: Final = re.compile(
    r"""
      (?P<space>[ \t\r\n\f]++)
    | (?P<text>[rR]?(?:"(?:[^"\\]|\\.)*+"|'(?:[^'\\]|\\.)*+'))
    | `(?P<quoted>[^`]++)`
    | (?P<number>(?:0[xX][0-9a-fA-F_]++|0[oO][0-7_]++|0[bB][01_]++
        |(?:[0-9][0-9_]*+\.?+[0-9_]*+|\.[0-9][0-9_]*+)(?:[eE][+-]?+[0-9_]++)?+))(?!\w)
    | (?P<name>[^\W\d]\w*+(?:\.[^\W\d]\w*+)*+)
    | (?P<sign>\*\*|//|==|!=|<=|>=|[-+*/%<>()\[\],.=&|~])
    """,
    re.VERBOSE | re.DOTALL,
)
"""Possessive throughout: no text makes it try again."""
_ESCAPE: Final = re.compile(r"\\(\n|\r\n?|[0-7]{1,3}|x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_ESCAPED: Final = {
    "\\": "\\",
    "'": "'",
    '"': '"',
    "a": "\a",
    "b": "\b",
    "f": "\f",
    "n": "\n",
    "r": "\r",
    "t": "\t",
    "v": "\v",
    "\n": "",
    "\r": "",
    "\r\n": "",
}
_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_MOST_DIGITS: Final = 400
"""Of a number: more than the largest and the smallest take."""
_ASIDE: Final = {
    "@": ("names a variable of the program", "Write the value itself"),
    "#": ("has a comment, or a `#` outside a text", "Leave it out; put a column's name that has one into backticks"),
    "\\": ("has a backslash outside a text", "Leave it out: a condition may be written over several lines as it is"),
}

Kind = Literal["number", "text", "quoted", "name", "sign", "end"]


class Token(NamedTuple):
    """A word of a condition."""

    kind: Kind
    text: str
    """Of a text, what it says; of a name in backticks, what is between them; of others, as written."""
    start: int
    end: int
    value: float = 0
    """Of a number."""

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind == "sign" and self.text in signs

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these words, without backticks."""
        return self.kind == "name" and self.text in words


def tokens_of(where: str) -> Iterator[Token]:
    """The words of a condition, and an end.

    Raises:
        QueryError: It is too long, or has what is no word.
    """
    if len(where) > MOST_CHARACTERS:
        raise wrong(
            where,
            f"has {len(where):,} characters, where at most {MOST_CHARACTERS:,} are read",
            "Choose by what the episodes have in common, or give their names with --include",
        )
    place = 0
    while place < len(where):
        found = _TOKEN.match(where, place)
        if found is None:
            raise _unknown(where, place)
        start, place = place, found.end()
        if found["space"] is None:
            yield _token(where, found, start)
    yield Token("end", "", place, place)


def _token(where: str, found: re.Match[str], start: int) -> Token:
    end = found.end()
    if found["text"] is not None:
        return Token("text", _said(where, found["text"]), start, end)
    if found["number"] is not None:
        return Token("number", found[0], start, end, _number(where, found["number"]))
    if found["quoted"] is not None:
        return Token("quoted", found["quoted"], start, end)
    return Token("name" if found["name"] is not None else "sign", found[0], start, end)


def _unknown(where: str, place: int) -> Exception:
    character = where[place]
    if character in _ASIDE:
        what, remedy = _ASIDE[character]
        named = re.match(r"@\w*", where[place:])
        return wrong(where, f"{what}, {named[0]}" if named else what, remedy)
    if character in "'\"`":
        return wrong(where, f"cannot be read: {character} at character {place + 1} has no end", "Close it")
    if character.isdecimal() or character == ".":
        return wrong(where, f"cannot be read: at character {place + 1} stands what is no number", LANGUAGE)
    return wrong(where, f"has what no condition needs ({character!r} at character {place + 1})", LANGUAGE)


def _said(where: str, literal: str) -> str:
    is_raw = literal[0] in "rR"
    inner = literal[2:-1] if is_raw else literal[1:-1]
    if not is_raw and "\\" in inner:
        inner = _ESCAPE.sub(lambda escape: _unescaped(where, escape[1]), inner)
    if _SURROGATE.search(inner):
        raise wrong(where, "has half a character in a text (a surrogate), which no column has", LANGUAGE)
    return inner


def _unescaped(where: str, code: str) -> str:
    if code in _ESCAPED:
        return _ESCAPED[code]
    if code[0] in "xuU" and len(code) > 1:
        number = int(code[1:], 16)
    elif code[0] in "01234567":
        number = int(code, 8)
    elif code in {"x", "u", "U", "N"}:
        raise wrong(where, f"has an escape in a text that cannot be read (\\{code})", "Write the character itself")
    else:
        # As Python has it: `'\d'` is a backslash and a d.
        return f"\\{code}"
    if number > 0x10FFFF:
        raise wrong(where, f"has an escape in a text that is no character (\\{code})", "Write the character itself")
    return chr(number)


def _number(where: str, text: str) -> float:
    is_whole = text[:2].lower() in {"0x", "0o", "0b"} or not re.search(r"[.eE]", text)
    if len(text) > _MOST_DIGITS:
        raise wrong(where, f"has a number of {len(text):,} digits", "Write it with an exponent: 1e20")
    try:
        value = int(text, 0) if is_whole else float(text)
    except ValueError as err:
        raise wrong(where, f"cannot be read: {text[:20]} is no number", LANGUAGE) from err
    if is_whole and value >= WHOLE_NUMBERS:
        raise wrong(where, "has a whole number beyond 64 bits", "Write it with a point or an exponent: 1e20")
    return value
