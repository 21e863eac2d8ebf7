"""Walks a condition's tree over columns: every node by the one function that is written for it."""

from __future__ import annotations

import operator
from collections.abc import Callable
from functools import reduce

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset.conditions.bounds import LANGUAGE, Deadline, UnfitError, shortened, wrong
from bagmill.dataset.conditions.called import called
from bagmill.dataset.conditions.operations import applied, compared, computed, is_among, negated, np_truths
from bagmill.dataset.conditions.tree import (
    Arithmetic,
    Chain,
    Column,
    Compared,
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
from bagmill.dataset.conditions.values import NAMED, Scalar, Texts, Value, Values, kind_of


class Evaluation:
    """One condition over one table.

    Args:
        where: The condition as written, for what is told.
        column: Gives a column by its name.
        has_feature: Gives, for every row, whether it has a feature of this name.
    """

    def __init__(
        self,
        where: str,
        *,
        column: Callable[[str], Values | Texts],
        has_feature: Callable[[str], NDArray[np.bool_]],
    ) -> None:
        self._where = where
        self._column = column
        self._has_feature = has_feature
        self._deadline = Deadline()

    def value(self, node: Node) -> Value:
        """What a node is worth.

        Raises:
            QueryError: An operation cannot be done, or all takes too long; told with the operation's text.
        """
        try:
            self._deadline.check()
            return self._value(node)
        except UnfitError as err:
            text = shortened(self._where[node.start : node.end])
            raise wrong(self._where, f"cannot be evaluated: `{text}` {err.problem}", err.remedy) from err

    def _value(self, node: Node) -> Value:  # noqa: C901, PLR0911, PLR0912 - one for each kind of node
        match node:
            case Constant():
                return node.value
            case Column():
                return self._column(node.name)
            case Joined():
                return self._joined(node.operands, is_and=node.is_and)
            case Chain():
                return self._joined(node.comparisons, is_and=True)
            case Not():
                return _opposite(self._truth(node.operand))
            case Sign():
                operand = self.value(node.operand)
                return negated(operand) if node.is_negative else computed("+", operand, 0)
            case Compared():
                return compared(node.operator, self.value(node.left), self.value(node.right))
            case Membership():
                found = is_among(self.value(node.operand), self._items(node.items))
                return _opposite(found) if node.is_negated else found
            case HasFeature():
                has = self._has_feature(node.feature)
                return Values("truth", ~has if node.is_negated else has)
            case Arithmetic():
                return computed(node.operator, self.value(node.left), self.value(node.right))
            case Function():
                return applied(node.name, self.value(node.operand))
            case Method():
                arguments = {name: self._argument(each) for name, each in node.arguments}
                return called(node.name, self.value(node.operand), arguments, deadline=self._deadline)
            case Listed():
                raise UnfitError("is a list where a single value should be", "Compare with a list by `in`")

    def _truth(self, node: Node) -> Value:
        value = self.value(node)
        if kind_of(value) != "truth":
            raise UnfitError(f"is {NAMED[kind_of(value)]}, and neither true nor false", f"Compare it. {LANGUAGE}")
        return value

    def _joined(self, operands: tuple[Node, ...], *, is_and: bool) -> Value:
        values = [self._truth(each) for each in operands]
        arrays = [value.array for value in values if isinstance(value, Values)]
        singles = [bool(value) for value in values if not isinstance(value, Values)]
        single = all(singles) if is_and else any(singles)
        if not arrays:
            return single
        found = reduce(operator.and_ if is_and else operator.or_, arrays)
        if singles:
            found = found & single if is_and else found | single
        return Values("truth", found)

    def _items(self, node: Listed) -> list[Scalar]:
        return [self._single(item) for item in node.items]

    def _argument(self, node: Node) -> Scalar | list[Scalar]:
        return self._items(node) if isinstance(node, Listed) else self._single(node)

    def _single(self, node: Node) -> Scalar:
        value = self.value(node)
        if isinstance(value, Values | Texts):
            text = shortened(self._where[node.start : node.end])
            raise UnfitError(f"has a column, {text}, where a single value should be", "Write the value itself")
        return value


def _opposite(value: Value) -> Value:
    if isinstance(value, Values):
        return Values("truth", ~value.array)
    return np_truths(value, is_true=not value)
