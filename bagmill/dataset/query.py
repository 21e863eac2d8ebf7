"""A snapshot's rows by a condition over its columns: `num_frames > 100 and task == "pick" and quality.skew < 10`.

The language is that of pandas' `DataFrame.query`, as far as it tells which rows are meant; it is read and evaluated here, by
`conditions`, and nothing of it reaches pandas or Python as text. A condition is also read from snapshots that others have
made. Two things are easier than in pandas: a column whose name has dots is written as it is (`quality.skew`, without
backticks), and `start` is the time at which an episode begins.
"""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.arguments import checked_arguments
from bagmill.dataset.conditions.bounds import LANGUAGE, UnfitError, shortened, wrong
from bagmill.dataset.conditions.evaluate import Evaluation
from bagmill.dataset.conditions.parse import FEATURES, Parser
from bagmill.dataset.conditions.tree import Column, HasFeature, Joined, Node, children
from bagmill.dataset.conditions.values import Texts, Values, column_values
from bagmill.errors import QueryError

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

_MOST_COLUMNS_TOLD: Final = 100


@checked_arguments(QueryError)
def select(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """The rows of a snapshot's table for which a condition holds, in their order, with an index of their own from 0.

    Args:
        table: As `load_snapshot` gives it.
        where: The condition. What was not measured on an episode is never more, less or equal: such an episode is left
            out by a comparison, unless it is `!=`; `quality.skew.isna()` finds it.

    Returns:
        Every column of `table`.

    Raises:
        QueryError: The condition cannot be understood, names what the table does not have, is larger than it may be, or
            is no condition.
    """
    is_chosen = find_rows(table, where)
    # By positions: a mask would be turned into them once for every column of text.
    chosen = table if is_chosen.all() else table.take(np.flatnonzero(is_chosen))
    return chosen.reset_index(drop=True)


def find_rows(table: pd.DataFrame, where: str) -> NDArray[np.bool_]:
    """For which rows of a snapshot's table a condition holds, (N,). Arguments and errors as of `select`."""
    return _Condition(where, table).find_rows()


def named_columns(where: str, table: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """The columns that a condition names, in their order. Errors as of `select`."""
    condition = _Condition(where, table)
    return {name: condition.series(name) for name in condition.names()}


def parts_of(where: str, table: pd.DataFrame) -> list[str]:
    """What stands between the outermost `and`s of a condition, each as written. Errors as of `select`."""
    condition = _Condition(where, table)
    return [" ".join(where[part.start : part.end].split("\n")) for part in _parts(condition.tree)]


def _parts(node: Node) -> Iterator[Node]:
    if isinstance(node, Joined) and node.is_and:
        for operand in node.operands:
            yield from _parts(operand)
    else:
        yield node


class _Condition:
    """A condition that was understood, over a table.

    Args:
        where: As written.
        table: Whose columns it names.

    Raises:
        QueryError: It cannot be understood, or names what is not there.
    """

    def __init__(self, where: str, table: pd.DataFrame) -> None:
        self._where = where
        self._table = table
        self._known = [*map(str, table.columns)]
        self._known += [
            name for name, (source, _) in _DERIVED.items() if source in self._known and name not in self._known
        ]
        self._values: dict[str, Values | Texts] = {}
        try:
            self.tree = Parser(where, frozenset(self._known), self._no_column).parse()
        except RecursionError as err:
            raise self._too_deep() from err

    def names(self) -> list[str]:
        """The columns that it names, in their order."""
        found: dict[str, None] = {}
        waiting = [self.tree]
        while waiting:
            node = waiting.pop()
            if isinstance(node, Column):
                found[node.name] = None
            elif isinstance(node, HasFeature):
                found[FEATURES] = None
            waiting += reversed(children(node))
        return [*found]

    def find_rows(self) -> NDArray[np.bool_]:
        """For which rows it holds."""
        evaluation = Evaluation(self._where, column=self._column, has_feature=self._has_feature)
        try:
            found = evaluation.value(self.tree)
        except RecursionError as err:
            raise self._too_deep() from err
        if not isinstance(found, Values) or found.kind != "truth":
            raise wrong(
                self._where, "says of no episode whether it is meant", f"Compare a column with something. {LANGUAGE}"
            )
        return found.array

    def series(self, name: str) -> pd.Series[Any]:
        """A column as the table has it, or made of one that it has."""
        places = [place for place, column in enumerate(self._table.columns) if str(column) == name]
        if len(places) > 1:
            raise wrong(self._where, f"names {name}, which {len(places)} columns are called", "Rename all but one")
        return self._table.iloc[:, places[0]] if places else _DERIVED[name][1](self._table)

    def _column(self, name: str) -> Values | Texts:
        if name not in self._values:
            self._values[name] = column_values(self.series(name))
        return self._values[name]

    def _has_feature(self, feature: str) -> NDArray[np.bool_]:
        texts = self._column(FEATURES)
        if not isinstance(texts, Texts):
            raise UnfitError(f"asks for a feature, and {FEATURES} is no text", "Name a column of text")
        # Parsed once for thousands of episodes that are alike.
        held: dict[str | None, bool] = {None: False}
        for text in texts.values.unique().to_pylist():
            if text is not None:
                held[text] = feature in _feature_names(text)
        found = np.fromiter((held[text] for text in texts.values.to_pylist()), np.bool_, len(texts.values))
        return texts.by_row(found)

    def _too_deep(self) -> QueryError:
        return wrong(
            self._where, "has too many operations inside one another", "Leave out parentheses, or ask for less"
        )

    def _no_column(self, name: str) -> QueryError:
        # Who writes `skew` means `quality.skew`.
        near = [each for each in self._known if each.endswith(f".{name}")] or difflib.get_close_matches(
            shortened(name), self._known, n=1
        )
        meant = f"Did you mean {near[0]}? " if near else ""
        told = [each if _PLAIN.fullmatch(each) else f"`{each}`" for each in self._known[:_MOST_COLUMNS_TOLD]]
        num_more = len(self._known) - len(told)
        listed = ", ".join(told) + (f" and {num_more:,} more" if num_more > 0 else "")
        return wrong(self._where, f"names {shortened(name)}, which is no column", f"{meant}There are {listed}")


def _feature_names(text: str) -> frozenset[str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as err:
        raise UnfitError(f"asks for a feature, and {FEATURES} of an episode is no JSON") from err
    if not isinstance(found, dict):
        raise UnfitError(f"asks for a feature, and {FEATURES} of an episode is JSON without names")
    return frozenset(found)


_PLAIN: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def _start(table: pd.DataFrame) -> pd.Series[Any]:
    return table["start_ns"].astype("datetime64[ns]")


_DERIVED: Final[dict[str, tuple[str, Callable[[pd.DataFrame], pd.Series[Any]]]]] = {"start": ("start_ns", _start)}
"""Columns that are made where they are asked for: each with the one that it is made of."""
