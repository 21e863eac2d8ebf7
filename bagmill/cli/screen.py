"""Where a verb writes: results to standard output, as tables or as one JSON document; all else to standard error."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, TextIO

import numpy as np
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bagmill.cli.wording import printable

_WIDTH_IN_A_PIPE = 1_000
"""Nothing is wrapped or cut off where a program reads it."""


def results() -> Console:
    """A console on standard output."""
    return _console(sys.stdout)


def notices() -> Console:
    """A console on standard error: progress, complaints, what was written where."""
    return _console(sys.stderr)


def complain(sentence: str) -> None:
    """One line on standard error, as every complaint of bagmill's begins."""
    notices().print(Text(f"bagmill: {printable(sentence)}"), soft_wrap=True)


def print_json(document: Mapping[str, Any]) -> None:
    """Write one JSON document on standard output; not-a-number and infinity become null, which JSON has no word for."""
    sys.stdout.write(json.dumps(_plain(document), indent=2, allow_nan=False) + "\n")


def table(*columns: str, right: Sequence[str] = ()) -> Table:
    """An empty table in the house's look.

    Args:
        columns: Headings.
        right: Those whose numbers are set flush right.
    """
    made = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        made.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return made


def _console(file: TextIO) -> Console:
    # Markup off: a topic called `/arm[0]` is not a style.
    is_bare = not file.isatty() and "COLUMNS" not in os.environ
    return Console(file=file, markup=False, highlight=False, emoji=False, width=_WIDTH_IN_A_PIPE if is_bare else None)


def _plain(value: Any) -> Any:
    """Values that `json` knows."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if math.isfinite(value) else None
        case Fraction() | Path():
            return str(value)
        case Mapping():
            return {str(key): _plain(part) for key, part in value.items()}
        case Sequence():
            return [_plain(part) for part in value]
    raise TypeError(f"no JSON for {type(value).__name__}")
