"""What a condition may call: every function and method by name, with the names of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

FUNCTIONS: Final = frozenset(("abs", "ceil", "exp", "floor", "log", "log10", "sqrt"))
"""Of numbers, called with one."""
CONSTANTS: Final = {"inf": float("inf")}


@dataclass(frozen=True, slots=True)
class Signature:
    """How a method is called."""

    parameters: tuple[str, ...] = ()
    """In their order; every one may also be given by name."""
    num_required: int = 0
    is_called: bool = True
    """It stands with parentheses; without: a property."""


_PATTERN: Final = Signature(("pat", "case", "flags", "na"), 1)
_PROPERTY: Final = Signature(is_called=False)

METHODS: Final = {
    "isna": Signature(),
    "notna": Signature(),
    "isin": Signature(("values",), 1),
    "between": Signature(("left", "right", "inclusive"), 2),
    "fillna": Signature(("value",), 1),
    "duplicated": Signature(("keep",)),
    "rank": Signature(("axis", "method", "numeric_only", "na_option", "ascending", "pct")),
    "abs": Signature(),
    "round": Signature(("decimals",)),
    **dict.fromkeys(("min", "max", "mean", "median", "std", "sum"), Signature()),
    "quantile": Signature(("q", "interpolation")),
    "str.contains": Signature(("pat", "case", "flags", "na", "regex"), 1),
    "str.match": _PATTERN,
    "str.fullmatch": _PATTERN,
    "str.startswith": Signature(("pat", "na"), 1),
    "str.endswith": Signature(("pat", "na"), 1),
    "str.lower": Signature(),
    "str.upper": Signature(),
    "str.strip": Signature(("to_strip",)),
    "str.len": Signature(),
    **dict.fromkeys(
        (f"dt.{part}" for part in ("year", "month", "day", "hour", "minute", "dayofweek", "date")), _PROPERTY
    ),
}
"""Of columns: those that give other columns or numbers, and do nothing else."""
ACCESSORS: Final = frozenset(name.split(".")[0] for name in METHODS if "." in name)
ATTRIBUTES: Final = frozenset(part for name in METHODS for part in name.split("."))
"""Every word that may stand behind a column's point."""
