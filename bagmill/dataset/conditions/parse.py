"""A condition's words → its tree, by precedence climbing; `&` and `|` bind as `and` and `or` do, as in DataFrame.query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NoReturn, cast

from bagmill.dataset.conditions.bounds import LANGUAGE, MOST_ITEMS, MOST_NESTING, MOST_NODES, wrong
from bagmill.dataset.conditions.methods import ACCESSORS, ATTRIBUTES, CONSTANTS, FUNCTIONS, METHODS
from bagmill.dataset.conditions.tokens import Token, tokens_of
from bagmill.dataset.conditions.tree import (
    Arithmetic,
    ArithmeticOperator,
    Chain,
    Column,
    Compared,
    Comparison,
    Constant,
    Function,
    HasFeature,
    Joined,
    Listed,
    Membership,
    Method,
    Node,
    Not,
    Sign,
)
from bagmill.errors import QueryError

FEATURES: Final = "features"
"""The column whose texts are JSON: what a condition asks of it is which names it holds."""
_OR, _AND, _NOT, _COMPARISON, _SUM, _PRODUCT, _SIGN, _POWER = range(1, 9)
_BINDING: Final = {
    "|": _OR,
    "or": _OR,
    "&": _AND,
    "and": _AND,
    **dict.fromkeys(("<", "<=", ">", ">=", "==", "!=", "in", "not"), _COMPARISON),
    "+": _SUM,
    "-": _SUM,
    "*": _PRODUCT,
    "/": _PRODUCT,
    "//": _PRODUCT,
    "%": _PRODUCT,
    "**": _POWER,
}
_RESERVED: Final = frozenset(("and", "or", "not", "in", "is", "if", "else", "for", "lambda", "True", "False", "None"))
_TRUTHS: Final = {"True": True, "False": False}


class Parser:
    """Parses one condition.

    Args:
        where: As written.
        known: The names of the table's columns, and of those that are made of them.
        no_column: The error of a name that is none of them.

    Raises:
        QueryError: It cannot be understood, names what is not there, or is larger than it may be.
    """

    def __init__(self, where: str, known: frozenset[str], no_column: Callable[[str], QueryError]) -> None:
        self._where = where
        self._known = known
        self._no_column = no_column
        if not where.strip():
            raise QueryError("the condition is empty", remedy=LANGUAGE)
        self._tokens: Sequence[Token] = list(tokens_of(where))
        self._place = 0
        self._num_nodes = 0

    def parse(self) -> Node:
        """The whole condition. To be called once."""
        tree = self._expression(_OR, 0)
        if self._next.kind != "end":
            self._fail_at(self._next)
        return tree

    @property
    def _next(self) -> Token:
        return self._tokens[self._place]

    @property
    def _end(self) -> int:
        """Where the last word that was taken ends."""
        return self._tokens[self._place - 1].end

    def _take(self) -> Token:
        token = self._tokens[self._place]
        if token.kind != "end":
            self._place += 1
        return token

    def _fail(self, what: str, remedy: str = LANGUAGE) -> NoReturn:
        raise wrong(self._where, what, remedy)

    def _fail_at(self, token: Token) -> NoReturn:
        if token.is_sign("="):
            self._fail("has a single `=`", "Compare with `==`")
        if token.is_word("is"):
            self._fail("has what no condition needs (is)", "Compare with `==`, or ask `.isna()`")
        if token.is_word("None"):
            self._fail("has what no condition needs (None)", "What was not measured is found by `.isna()`")
        told = (
            "ends too early" if token.kind == "end" else f"{self._where[token.start : token.end][:40]} is not expected"
        )
        self._fail(f"cannot be read ({told}, character {token.start + 1})")

    def _expect(self, sign: str) -> Token:
        token = self._take()
        if not token.is_sign(sign):
            self._fail_at(token)
        return token

    def _count(self, depth: int) -> None:
        """One more node of the tree, so many levels down."""
        self._num_nodes += 1
        if self._num_nodes > MOST_NODES:
            self._fail(
                f"has more than {MOST_NODES:,} operations, names and values",
                "Name many values in a list: task in ['a', 'b']",
            )
        if depth > MOST_NESTING:
            self._fail(
                f"has more than {MOST_NESTING} operations inside one another", "Leave out parentheses, or ask for less"
            )

    def _binding(self) -> int:
        """How strongly the next word binds what is before it; 0: it ends an expression."""
        token = self._next
        if token.kind not in ("sign", "name"):
            return 0
        if token.text == "not" and not self._tokens[self._place + 1].is_word("in"):
            return 0
        return _BINDING.get(token.text, 0)

    def _expression(self, least: int, depth: int) -> Node:
        """What stands here, up to an operator that binds less than `least`."""
        self._count(depth)
        # With the parentheses that it may begin with.
        start = self._next.start
        left = self._prefix(least, depth)
        while (binding := self._binding()) >= least:
            # A level for every operation: sums of sums lean to the left.
            if binding in (_OR, _AND):
                left = self._joined(left, start, binding, depth)
            elif binding == _COMPARISON:
                left = self._comparisons(left, start, depth)
            else:
                depth += 1
                left = self._arithmetic(left, start, binding, depth)
        return left

    def _prefix(self, least: int, depth: int) -> Node:
        token = self._next
        if token.is_word("not"):
            if least > _NOT:
                self._fail_at(token)
            self._take()
            operand = self._expression(_NOT, depth + 1)
            return Not(token.start, self._end, operand)
        if token.is_sign("~", "-", "+"):
            self._take()
            operand = self._expression(_SIGN, depth + 1)
            if token.text == "~":
                return Not(token.start, self._end, operand)
            return Sign(token.start, self._end, operand, token.text == "-")
        return self._postfix(self._primary(depth), token.start, depth)

    def _joined(self, left: Node, start: int, binding: int, depth: int) -> Joined:
        # All at once: a hundred alternatives are no hundred levels.
        operands = [left]
        while self._binding() == binding:
            self._take()
            operands.append(self._expression(binding + 1, depth + 1))
        return Joined(start, self._end, tuple(operands), binding == _AND)

    def _comparisons(self, left: Node, start: int, depth: int) -> Node:
        found: list[Node] = []
        while self._binding() == _COMPARISON:
            operator = self._take().text
            if operator == "not":
                self._take()
            right = self._expression(_SUM, depth + 1)
            if operator in ("in", "not"):
                found.append(self._membership(left, right, start, is_negated=operator == "not"))
            else:
                found.append(self._compared(operator, left, right, start))
            left = right
        return found[0] if len(found) == 1 else Chain(start, self._end, tuple(found))

    def _compared(self, operator: str, left: Node, right: Node, start: int) -> Node:
        self._refuse_features(left, right)
        if isinstance(right, Listed) and operator in ("==", "!="):
            return Membership(start, self._end, left, right, operator == "!=")
        return Compared(start, self._end, cast("Comparison", operator), left, right)

    def _membership(self, left: Node, right: Node, start: int, *, is_negated: bool) -> Node:
        if isinstance(left, Constant) and isinstance(left.value, str) and _is_features(right):
            return HasFeature(start, self._end, left.value, is_negated)
        self._refuse_features(left, right)
        if not isinstance(right, Listed):
            self._fail(
                "has an `in` without a list behind it",
                "Write `task in ['pick', 'place']`, `task == 'pick'`, or `task.str.contains('pick', regex=False)` for a "
                "part of a text",
            )
        return Membership(start, self._end, left, right, is_negated)

    def _refuse_features(self, *operands: Node) -> None:
        """Refuse what would be taken for whole texts, and say of no episode."""
        if any(map(_is_features, operands)):
            self._fail(
                f"compares {FEATURES}, which is JSON, with something",
                f"Write `'images/wrist' in {FEATURES} and 'state' in {FEATURES}`, or `not in`",
            )

    def _arithmetic(self, left: Node, start: int, binding: int, depth: int) -> Node:
        operator = cast("ArithmeticOperator", self._take().text)
        # A power's exponent may have a sign, and powers lean to the right.
        right = self._expression(_SIGN if binding == _POWER else binding + 1, depth)
        return Arithmetic(start, self._end, operator, left, right)

    def _primary(self, depth: int) -> Node:  # noqa: PLR0911 - one for each kind of word
        token = self._take()
        match token.kind:
            case "number":
                return Constant(token.start, token.end, token.value)
            case "text":
                return Constant(token.start, token.end, token.text)
            case "quoted":
                if token.text not in self._known:
                    raise self._no_column(token.text)
                return Column(token.start, token.end, token.text)
            case "name":
                return self._name(token, depth)
        if token.is_sign("("):
            return self._parenthesised(token, depth)
        if token.is_sign("["):
            items = self._items("]", depth)
            return Listed(token.start, self._end, items)
        return self._fail_at(token)

    def _parenthesised(self, opening: Token, depth: int) -> Node:
        if self._next.is_sign(")"):
            self._take()
            return Listed(opening.start, self._end, ())
        inner = self._expression(_OR, depth + 1)
        if not self._next.is_sign(","):
            self._expect(")")
            return inner
        self._take()
        items = self._items(")", depth)
        return Listed(opening.start, self._end, (inner, *items))

    def _items(self, closing: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while not self._next.is_sign(closing):
            if len(items) >= MOST_ITEMS:
                self._fail(f"has a list of more than {MOST_ITEMS:,}", "Ask in several conditions")
            items.append(self._item(depth))
            if not self._next.is_sign(","):
                break
            self._take()
        self._expect(closing)
        return tuple(items)

    def _item(self, depth: int) -> Node:
        token, behind = self._next, self._tokens[min(self._place + 1, len(self._tokens) - 1)]
        if token.kind in ("text", "number") and behind.is_sign(",", "]", ")"):
            # Most lists are long and plain: their items do not count as operations.
            self._take()
            return Constant(token.start, token.end, token.value if token.kind == "number" else token.text)
        return self._expression(_OR, depth + 1)

    def _name(self, token: Token, depth: int) -> Node:
        """A column, a function that is called or a constant; what is left of a name with points is a method."""
        if token.text in _TRUTHS:
            return Constant(token.start, token.end, _TRUTHS[token.text])
        if token.text.split(".")[0] in _RESERVED:
            self._fail_at(token)
        if self._next.is_sign("(") and token.text in FUNCTIONS:
            self._take()
            operand = self._expression(_OR, depth + 1)
            self._expect(")")
            return Function(token.start, self._end, token.text, operand)
        parts = token.text.split(".")
        for end in range(len(parts), 0, -1):
            name = ".".join(parts[:end])
            if name in self._known:
                found = Column(token.start, token.start + len(name), name)
                return self._methods(found, parts[end:], token.start, depth) if parts[end:] else found
        if token.text in CONSTANTS:
            return Constant(token.start, token.end, CONSTANTS[token.text])
        if self._next.is_sign("(") and len(parts) == 1:
            self._fail(f"calls {token.text[:40]}, which is no function", f"There are {', '.join(sorted(FUNCTIONS))}")
        is_attribute = [part in ATTRIBUTES for part in parts]
        raise self._no_column(".".join(parts[: is_attribute.index(True)] if any(is_attribute[1:]) else parts))

    def _postfix(self, left: Node, start: int, depth: int) -> Node:
        while self._next.is_sign("."):
            self._take()
            depth += 1
            self._count(depth)
            token = self._take()
            if token.kind != "name":
                self._fail_at(token)
            left = self._methods(left, token.text.split("."), start, depth)
        if self._next.is_sign("("):
            self._fail("calls what is no function", f"There are {', '.join(sorted(FUNCTIONS))}")
        if self._next.is_sign("["):
            self._fail("has what no condition needs ([…] behind a value)", LANGUAGE)
        return left

    def _methods(self, operand: Node, parts: Sequence[str], start: int, depth: int) -> Node:
        """`.str.len`, `.isna`, `.dt.year`: the methods that a name with points has, the last one with its parentheses."""
        left = list(parts)
        while left:
            name = left.pop(0)
            if name in ACCESSORS and left:
                name = f"{name}.{left.pop(0)}"
            signature = METHODS.get(name)
            if signature is None:
                self._fail(f"asks for `.{name[:40]}`", f"Of a column there are {', '.join(sorted(METHODS))}")
            self._count(depth)
            if not signature.is_called:
                operand = Method(start, self._end, name, operand, ())
                continue
            if left or not self._next.is_sign("("):
                self._fail(f"has `.{name}` without parentheses", f"Write `.{name}({', '.join(signature.parameters)})`")
            self._take()
            arguments = self._arguments(name, depth)
            operand = Method(start, self._end, name, operand, arguments)
        if isinstance(operand, Method) and operand.name == "isin":
            self._refuse_features(operand.operand)
        return operand

    def _arguments(self, name: str, depth: int) -> tuple[tuple[str, Node], ...]:
        signature = METHODS[name]
        given: dict[str, Node] = {}
        place = 0
        while not self._next.is_sign(")"):
            if self._next.kind == "name" and self._tokens[self._place + 1].is_sign("="):
                parameter = self._take().text
                self._take()
                place = len(signature.parameters)
            else:
                parameter = signature.parameters[place] if place < len(signature.parameters) else ""
                place += 1
            if parameter not in signature.parameters or parameter in given:
                self._fail(
                    f"calls `.{name}` with an argument that it does not have, or twice",
                    f"Write `.{name}({', '.join(signature.parameters)})`",
                )
            given[parameter] = self._expression(_OR, depth + 1)
            if not self._next.is_sign(","):
                break
            self._take()
        self._expect(")")
        if lacking := [each for each in signature.parameters[: signature.num_required] if each not in given]:
            self._fail(
                f"calls `.{name}` without {', '.join(lacking)}", f"Write `.{name}({', '.join(signature.parameters)})`"
            )
        return tuple(given.items())


def _is_features(node: Node) -> bool:
    return isinstance(node, Column) and node.name == FEATURES
