"""A condition as a tree: what the parser gives and the evaluation walks, and nothing besides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Comparison = Literal["<", "<=", ">", ">=", "==", "!="]
ArithmeticOperator = Literal["+", "-", "*", "/", "//", "%", "**"]


@dataclass(frozen=True, slots=True)
class _Placed:
    start: int
    """Where in the condition's text its own begins, in characters."""
    end: int


@dataclass(frozen=True, slots=True)
class Constant(_Placed):
    """A number, a text, True or False."""

    value: float | str | bool


@dataclass(frozen=True, slots=True)
class Column(_Placed):
    """A column of the table, or `start`, which is made of one."""

    name: str


@dataclass(frozen=True, slots=True)
class Listed(_Placed):
    """A list or a tuple."""

    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Joined(_Placed):
    """`a and b and c`, or with `or`."""

    operands: tuple[Node, ...]
    is_and: bool


@dataclass(frozen=True, slots=True)
class Chain(_Placed):
    """`a < b <= c`: neighbours compared, and all of it has to hold."""

    comparisons: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Not(_Placed):
    """`not a`, `~a`."""

    operand: Node


@dataclass(frozen=True, slots=True)
class Sign(_Placed):
    """`-a`, `+a`."""

    operand: Node
    is_negative: bool


@dataclass(frozen=True, slots=True)
class Compared(_Placed):
    """`a < b`."""

    operator: Comparison
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Membership(_Placed):
    """`a in [b, c]`, `a not in [b, c]`."""

    operand: Node
    items: Listed
    is_negated: bool


@dataclass(frozen=True, slots=True)
class HasFeature(_Placed):
    """`'images/wrist' in features`."""

    feature: str
    is_negated: bool


@dataclass(frozen=True, slots=True)
class Arithmetic(_Placed):
    """`a + b`."""

    operator: ArithmeticOperator
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Function(_Placed):
    """`sqrt(a)`."""

    name: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Method(_Placed):
    """`a.isna()`, `a.str.contains('b')`, `a.dt.year`."""

    name: str
    """With its accessor: `isna`, `str.contains`, `dt.year`."""
    operand: Node
    arguments: tuple[tuple[str, Node], ...]
    """By the parameters' names; those that were not given are not there."""


Node = (
    Constant
    | Column
    | Listed
    | Joined
    | Chain
    | Not
    | Sign
    | Compared
    | Membership
    | HasFeature
    | Arithmetic
    | Function
    | Method
)


def children(node: Node) -> tuple[Node, ...]:  # noqa: PLR0911 - one for each kind of node
    """The nodes right below one, in their order."""
    match node:
        case Joined():
            return node.operands
        case Chain():
            return node.comparisons
        case Compared() | Arithmetic():
            return (node.left, node.right)
        case Membership():
            return (node.operand, node.items)
        case Not() | Sign() | Function():
            return (node.operand,)
        case Method():
            return (node.operand, *(argument for _, argument in node.arguments))
        case Listed():
            return node.items
        case Constant() | Column() | HasFeature():
            return ()
