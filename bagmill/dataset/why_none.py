"""Why a condition chooses no episode: what each part of it rules out, and what the episodes are instead."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from bagmill.dataset.query import find_rows, named_columns, parts_of
from bagmill.errors import QueryError

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

_NUM_LISTED: Final = 5
"""Different texts of a column that are listed."""


def why_none(table: pd.DataFrame, where: str) -> str:
    """Which part of a condition rules out how many episodes, as a clause.

    Args:
        table: The snapshot's rows that it was asked of.
        where: A condition that is true of none of them.

    Returns:
        `of 3 episodes, "num_ticks > 100" rules out 0, and "quality.skew < 8" 3, whose quality.skew is 8.428 to 8.817`,
        with backticks for the quotation marks.

    Raises:
        QueryError: It is no condition.
    """
    parts = parts_of(where, table)
    try:
        told = [_told(table, part) for part in parts]
    except QueryError:
        told = [_told(table, where)]
    together = "; no episode meets all of them" if len(told) > 1 else ""
    return f"of {_counted(len(table))}, {', '.join(told)}{together}"


def _told(table: pd.DataFrame, part: str) -> str:
    num_ruled_out = len(table) - int(find_rows(table, part).sum())
    ranges = [_range(name, column) for name, column in named_columns(part, table).items()] if num_ruled_out else []
    what_is = f" ({'; '.join(ranges)})" if ranges else ""
    return f"`{part}` rules out {num_ruled_out:,}{what_is}"


def _range(name: str, column: pd.Series[Any]) -> str:
    found = column.dropna()
    num_lacking = len(column) - len(found)
    lacking = f", and not known of {_counted(num_lacking)}" if num_lacking else ""
    if not len(found):
        return f"{name} is not known of any"
    if name == "features":
        return f"there are {', '.join(_feature_names(found.unique().tolist()))}"
    kind = found.dtype.kind if hasattr(found.dtype, "kind") else "O"
    if kind in "iuf":
        low, high = (f"{float(each):.10g}" for each in (found.min(), found.max()))
    elif kind == "M":
        low, high = (str(each) for each in (found.min(), found.max()))
    else:
        values = [repr(value) for value in found.unique().tolist()]
        listed = ", ".join(values[:_NUM_LISTED])
        rest = f" and {len(values) - _NUM_LISTED:,} others" if len(values) > _NUM_LISTED else ""
        return f"{name} is {listed}{rest}{lacking}"
    return f"{name} is {low}{lacking}" if low == high else f"{name} is {low} to {high}{lacking}"


def _feature_names(texts: list[str]) -> list[str]:
    try:
        return sorted({each for text in texts for each in json.loads(text)})
    except (ValueError, TypeError, RecursionError):
        return ["features that cannot be read"]


def _counted(num: int) -> str:
    return f"{num:,} episode{'' if num == 1 else 's'}"
