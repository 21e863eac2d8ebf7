"""Whole numbers in IDL: what an array's length or a bound is, written out or by constants.

Source: OMG IDL 4.2, section 7.4.1.4.3 (constant expressions; its operators bind as C's do, and numbers are of 64 bits).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from bagmill.definitions.unreadable import UnreadableDefinitionError
from bagmill.limits import limits

Lookup = Callable[[str], Sequence[str] | None]
"""Name of a constant → the tokens of its value; None where there is no such constant."""

_LEVELS: Final = (("|",), ("^",), ("&",), ("<<", ">>"), ("+", "-"), ("*", "/", "%"))
"""Operators, those that bind least first."""
_RANGE: Final = range(-(1 << 63), 1 << 64)
_MOST_TOKENS: Final = 1_000
_MOST_DIGITS: Final = 24


def evaluate(tokens: Sequence[str], lookup: Lookup) -> int:
    """The number that an expression means.

    Args:
        tokens: The expression's.
        lookup: The constants that it may name.

    Raises:
        UnreadableDefinitionError: It is no whole number of 64 bits, or names what is none.
    """
    return _Reader(tokens, lookup, left=[_MOST_TOKENS], depth=0).whole()


class _Reader:
    """Goes over an expression once; constants that it names have readers of their own, and all share what is left."""

    def __init__(self, tokens: Sequence[str], lookup: Lookup, *, left: list[int], depth: int) -> None:
        self._tokens = tokens
        self._lookup = lookup
        self._left = left
        """How many tokens may still be read, of this expression and of those that it names."""
        self._depth = depth
        self._position = 0

    def whole(self) -> int:
        value = self._binary(0)
        if self._position < len(self._tokens):
            raise _no_number(self._tokens[self._position])
        return value

    def _binary(self, level: int) -> int:
        if level == len(_LEVELS):
            return self._unary()
        value = self._binary(level + 1)
        while self._peek() in _LEVELS[level]:
            operator = self._next()
            value = _checked(_apply(operator, value, self._binary(level + 1)))
        return value

    def _unary(self) -> int:
        sign, is_inverted = 1, False
        while (word := self._next()) in ("-", "+"):
            sign = -sign if word == "-" else sign
        if word == "~":
            word, is_inverted = self._next(), True
        value = self._primary(word)
        return _checked(sign * (~value if is_inverted else value))

    def _primary(self, word: str) -> int:
        if word == "(":
            self._descend()
            value = self._binary(0)
            self._depth -= 1
            if self._next() != ")":
                raise _no_number(word)
            return value
        if word[:1].isdigit():
            return _literal(word)
        tokens = self._lookup(word)
        if tokens is None:
            raise _no_number(word)
        self._descend()
        value = _Reader(tokens, self._lookup, left=self._left, depth=self._depth).whole()
        self._depth -= 1
        return value

    def _descend(self) -> None:
        self._depth += 1
        if self._depth > limits().nesting:
            raise UnreadableDefinitionError("the IDL has a number that hangs on too many others (limit `nesting`)")

    def _peek(self) -> str:
        return self._tokens[self._position] if self._position < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        self._position += 1
        self._left[0] -= 1
        if not token or self._left[0] < 0:
            raise UnreadableDefinitionError(
                "the IDL has a number that breaks off" if not token else "the IDL has a number without end"
            )
        return token


def _literal(token: str) -> int:
    try:
        if len(token) <= _MOST_DIGITS:
            # 010 is octal, which Python writes 0o10.
            return _checked(int(token, 8 if token[0] == "0" and token.isdigit() else 0))
    except ValueError:
        pass
    raise _no_number(token)


def _apply(operator: str, left: int, right: int) -> int:
    if operator in ("/", "%") and right == 0:
        raise UnreadableDefinitionError("the IDL divides by zero")
    if operator in ("<<", ">>") and not 0 <= right < 64:
        raise UnreadableDefinitionError(f"the IDL shifts by {right}, where numbers have 64 bits")
    return _OPERATORS[operator](left, right)


_OPERATORS: Final[dict[str, Callable[[int, int], int]]] = {
    "|": lambda left, right: left | right,
    "^": lambda left, right: left ^ right,
    "&": lambda left, right: left & right,
    "<<": lambda left, right: left << right,
    ">>": lambda left, right: left >> right,
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
    "/": lambda left, right: left // right,
    "%": lambda left, right: left % right,
}


def _checked(value: int) -> int:
    if value not in _RANGE:
        raise UnreadableDefinitionError("the IDL has a number that does not fit 64 bits")
    return value


def _no_number(token: str) -> UnreadableDefinitionError:
    return UnreadableDefinitionError(f"the IDL has {token[:40]!r} where a whole number is due")
