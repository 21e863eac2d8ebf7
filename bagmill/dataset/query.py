"""A snapshot's rows by a condition over its columns: `num_frames > 100 and task == "pick" and quality.skew < 10`.

The language is pandas' own, that of `DataFrame.query`, and pandas evaluates it. Two things are made easier: a column whose
name has dots is written as it is (`quality.skew`, without backticks), and `start` is the time at which an episode begins.
One thing is left out: whatever could do more than tell which rows are meant. A condition is also read from snapshots that
others have made, so variables of the program, attributes and calls beyond a short list are refused before pandas sees them.
"""

from __future__ import annotations

import ast
import difflib
import json
import keyword
import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from bagmill.errors import QueryError

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

_TOKEN: Final = re.compile(
    r"""
      (?P<text>(?:(?<![\w.])[rRuUbBfF]{1,2})?(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'))
    | `(?P<quoted>[^`]+)`
    | (?<![\w.])(?P<dotted>[^\W\d]\w*(?:\.[^\W\d]\w*)*)(?P<is_keyword_argument>\s*=(?!=))?
    | (?P<variable>@\w*)
    """,
    re.VERBOSE | re.DOTALL,
)
"""What a condition is taken apart by: texts, names in backticks, names with dots in them."""

_FUNCTIONS: Final = frozenset(("abs", "ceil", "exp", "floor", "log", "log10", "sqrt"))
_CONSTANTS: Final = {"inf": np.inf}
_ACCESSORS: Final = ("str", "dt")
_ATTRIBUTES: Final = frozenset(
    (
        *_ACCESSORS,
        *("isna", "notna", "isin", "between", "fillna", "duplicated", "rank", "abs", "round"),
        *("min", "max", "mean", "median", "std", "sum", "quantile"),
        *("contains", "startswith", "endswith", "match", "fullmatch", "lower", "upper", "strip", "len"),
        *("year", "month", "day", "hour", "minute", "dayofweek", "date"),
    )
)
"""Of columns: those that give other columns or numbers, and do nothing else."""
_NODES: Final = (
    *(ast.Expression, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Compare, ast.Call, ast.Attribute, ast.Name, ast.Constant),
    *(ast.List, ast.Tuple, ast.Load, ast.keyword, ast.boolop, ast.unaryop, ast.operator, ast.cmpop),
)
_EVALUATION_ERRORS: Final = (
    *(TypeError, ValueError, KeyError, IndexError, AttributeError, NameError, NotImplementedError, ArithmeticError),
    *(SyntaxError, RecursionError, re.error, pa.ArrowException),
)
_FEATURES: Final = "features"
"""The column whose texts are JSON: what a condition asks of it is which names it holds."""
_LANGUAGE: Final = "A condition is written as in pandas' DataFrame.query: num_frames > 100 and task == 'pick'"


def select(table: pd.DataFrame, where: str) -> pd.DataFrame:
    """The rows of a snapshot's table for which a condition holds, in their order, with an index of their own from 0.

    Args:
        table: As `load_snapshot` gives it.
        where: The condition. What was not measured on an episode is never more, less or equal: such an episode is left
            out by a comparison, unless it is `!=`; `quality.skew.isna()` finds it.

    Returns:
        Every column of `table`.

    Raises:
        QueryError: The condition cannot be understood, names what the table does not have, or is no condition.
    """
    is_chosen = find_rows(table, where)
    # By positions: a mask would be turned into them once for every column of text.
    chosen = table if is_chosen.all() else table.take(np.flatnonzero(is_chosen))
    return chosen.reset_index(drop=True)


def find_rows(table: pd.DataFrame, where: str) -> NDArray[np.bool_]:
    """For which rows of a snapshot's table a condition holds, (N,). Arguments and errors as of `select`."""
    import pandas as pd  # noqa: PLC0415 - see above

    condition = _Condition(where, [*map(str, table.columns)])
    try:
        found = pd.eval(
            condition.expression,
            # Not numexpr where it happens to be installed: the same rows on every machine.
            engine="python",
            resolvers=({name: column_of(table) for name, column_of in condition.columns.items()} | _CONSTANTS,),
            local_dict={},
            global_dict={},
        )
    except _EVALUATION_ERRORS as err:
        problem = condition.as_written(" ".join(str(err).split()) or type(err).__name__)
        raise QueryError(f"the condition {where!r} cannot be evaluated: {problem}", remedy=_LANGUAGE) from err
    if not isinstance(found, pd.Series) or not pd.api.types.is_bool_dtype(found.dtype):
        raise QueryError(
            f"the condition {where!r} says of no episode whether it is meant",
            remedy=f"Compare a column with something. {_LANGUAGE}",
        )
    is_chosen: NDArray[np.bool_] = found.to_numpy(dtype=np.bool_, na_value=False)
    return is_chosen


def named_columns(where: str, table: pd.DataFrame) -> dict[str, pd.Series[Any]]:
    """The columns that a condition names, in their order. Errors as of `select`."""
    condition = _Condition(where, [*map(str, table.columns)])
    return {name: column_of(table) for name, column_of in condition.named.items()}


class _Condition:
    """A condition that was looked through: nothing in it does more than it should.

    Args:
        where: As written.
        known: The table's columns.

    Raises:
        QueryError: It cannot be understood, or names what is not there.
    """

    def __init__(self, where: str, known: Sequence[str]) -> None:
        self._where = where
        self._known = known
        self.columns: dict[str, Callable[[pd.DataFrame], pd.Series[Any]]] = {}
        """What the expression calls them, and how each is had of a table; only those that it names."""
        self.named: dict[str, Callable[[pd.DataFrame], pd.Series[Any]]] = {}
        """By the columns' own names."""
        self._names: dict[str, str] = {}
        if not where.strip():
            raise QueryError("the condition is empty", remedy=_LANGUAGE)
        # pandas takes every line for an expression of its own.
        self.expression = " ".join(_TOKEN.sub(self._replace, where).split("\n")).strip()
        self._check()

    def as_written(self, message: str) -> str:
        """A message of pandas' with the columns' own names in it."""
        for name, column in self._names.items():
            # Split and joined: a replacement's backslashes would mean something.
            message = column.join(re.split(rf"\b{name}\b", message))
        return message

    def _replace(self, token: re.Match[str]) -> str:
        """A token, columns under names that are Python's and nobody else's."""
        if token["variable"]:
            raise self._wrong(f"names a variable of the program, {token['variable']}", "Write the value itself")
        if token["quoted"]:
            return self._column(token["quoted"])
        if token["dotted"]:
            return self._resolve(token["dotted"], is_argument=token["is_keyword_argument"] is not None, all_of=token[0])
        return token[0]

    def _resolve(self, dotted: str, *, is_argument: bool, all_of: str) -> str:
        parts = dotted.split(".")
        for end in range(len(parts), 0, -1):
            name = ".".join(parts[:end])
            if not is_argument and (name in self._known or _derived(name, self._known)):
                return ".".join((self._column(name), *parts[end:]))
        if is_argument or keyword.iskeyword(dotted) or dotted in _FUNCTIONS or dotted in _CONSTANTS:
            return all_of
        is_attribute = [part in _ATTRIBUTES for part in parts]
        raise self._no_column(".".join(parts[: is_attribute.index(True)] if any(is_attribute[1:]) else parts))

    def _column(self, name: str) -> str:
        derived = _derived(name, self._known)
        if derived is None and name not in self._known:
            raise self._no_column(name)
        placeholder = f"_column_{[*self._known, *_DERIVED].index(name)}"
        self.columns[placeholder] = self.named[name] = derived or (lambda table: table[name])
        self._names[placeholder] = name
        return placeholder

    def _check(self) -> None:
        try:
            tree = ast.parse(self.expression, mode="eval")
        except (SyntaxError, ValueError, RecursionError, MemoryError) as err:
            if re.search(r"(?<![=!<>])=(?!=)", self.expression):
                raise self._wrong("has a single `=`", "Compare with `==`") from err
            raise self._wrong(f"cannot be read ({getattr(err, 'msg', err)})", _LANGUAGE) from err
        found: list[ast.Compare] = []
        for node in ast.walk(tree):
            self._check_node(node)
            if isinstance(node, ast.Compare) and self._asks_for_feature(node):
                found.append(node)
            elif isinstance(node, ast.Compare | ast.Call):
                self._check_membership(node)
        # From the last on, so that places before it stay.
        for node in sorted(found, key=lambda node: -node.col_offset):
            self._replace_membership(node)

    def _is_features(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and self._names.get(node.id) == _FEATURES

    def _asks_for_feature(self, node: ast.Compare) -> bool:
        """Whether it is `'images/wrist' in features`."""
        return (
            isinstance(node.left, ast.Constant)
            and isinstance(node.left.value, str)
            and len(node.ops) == 1
            and isinstance(node.ops[0], ast.In | ast.NotIn)
            and self._is_features(node.comparators[0])
        )

    def _replace_membership(self, node: ast.Compare) -> None:
        """Have `'images/wrist' in features` looked up in the JSON, where pandas would compare whole texts."""
        assert isinstance(node.left, ast.Constant)
        name, is_negated = str(node.left.value), isinstance(node.ops[0], ast.NotIn)
        placeholder = f"_feature_{len(self.columns)}"
        self.columns[placeholder] = partial(_has_feature, name=name)
        self._names[placeholder] = f"({name!r} in {_FEATURES})"
        text = self.expression.encode()
        found = f"(~{placeholder})" if is_negated else placeholder
        self.expression = (text[: node.col_offset] + found.encode() + text[node.end_col_offset :]).decode()

    def _check_membership(self, node: ast.Compare | ast.Call) -> None:
        """Refuse what pandas would take for whole texts, and say of no episode."""
        if isinstance(node, ast.Call):
            is_isin = isinstance(node.func, ast.Attribute) and node.func.attr == "isin"
            operands = [node.func.value] if is_isin and isinstance(node.func, ast.Attribute) else []
        else:
            operands = [node.left, *node.comparators]
        if any(map(self._is_features, operands)):
            raise self._wrong(
                f"compares {_FEATURES}, which is JSON, with something",
                f"Write `'images/wrist' in {_FEATURES} and 'state' in {_FEATURES}`, or `not in`",
            )
        if not isinstance(node, ast.Compare):
            return
        for operation, right in zip(node.ops, node.comparators, strict=True):
            if isinstance(operation, ast.In | ast.NotIn) and not isinstance(right, ast.List | ast.Tuple):
                raise self._wrong(
                    "has an `in` without a list behind it",
                    "Write `task in ['pick', 'place']`, `task == 'pick'`, or `task.str.contains('pick', regex=False)` for a "
                    "part of a text",
                )

    def _check_node(self, node: ast.AST) -> None:
        if isinstance(node, ast.Attribute) and node.attr not in _ATTRIBUTES:
            raise self._wrong(f"asks for `.{node.attr}`", f"Of a column there are {', '.join(sorted(_ATTRIBUTES))}")
        if isinstance(node, ast.Name) and node.id not in {*self.columns, *_FUNCTIONS, *_CONSTANTS}:
            raise self._no_column(node.id)
        if isinstance(node, ast.Call) and not (
            isinstance(node.func, ast.Attribute) or (isinstance(node.func, ast.Name) and node.func.id in _FUNCTIONS)
        ):
            raise self._wrong("calls what is no function", f"There are {', '.join(sorted(_FUNCTIONS))}")
        if not isinstance(node, _NODES) or isinstance(node, ast.Is | ast.IsNot | ast.MatMult):
            raise self._wrong(f"has what no condition needs ({type(node).__name__})", _LANGUAGE)

    def _no_column(self, name: str) -> QueryError:
        known = [*self._known, *(each for each in _DERIVED if _derived(each, self._known))]
        # Who writes `skew` means `quality.skew`.
        near = [each for each in known if each.endswith(f".{name}")] or difflib.get_close_matches(name, known, n=1)
        meant = f"Did you mean {near[0]}? " if near else ""
        listed = ", ".join(each if _PLAIN.fullmatch(each) else f"`{each}`" for each in known)
        return self._wrong(f"names {name}, which is no column", f"{meant}There are {listed}")

    def _wrong(self, what: str, remedy: str) -> QueryError:
        return QueryError(f"the condition {self._where!r} {what}", remedy=remedy)


_PLAIN: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")


def _has_feature(table: pd.DataFrame, *, name: str) -> pd.Series[Any]:
    texts = table[_FEATURES]
    # Parsed once for thousands of episodes that are alike.
    held = {text: name in json.loads(text) for text in texts.unique()}
    return texts.astype(object).map(held).astype(bool)


def _start(table: pd.DataFrame) -> pd.Series[Any]:
    return table["start_ns"].astype("datetime64[ns]")


_DERIVED: Final[dict[str, tuple[str, Callable[[pd.DataFrame], pd.Series[Any]]]]] = {"start": ("start_ns", _start)}
"""Columns that are made where they are asked for: each with the one that it is made of."""


def _derived(name: str, known: Sequence[str]) -> Callable[[pd.DataFrame], pd.Series[Any]] | None:
    if name in known or name not in _DERIVED:
        return None
    source, make = _DERIVED[name]
    return make if source in known else None
