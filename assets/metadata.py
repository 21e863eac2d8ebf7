"""Plain values → what the web UI shows: numbers it can plot, tables, pictures, paths."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, Final

import dagster as dg

from assets.markdown import md_picture

Metadata = dict[str, dg.MetadataValue[Any]]
Record = Mapping[str, object]

_ONE_LINE: Final = 24
_MOST_PICTURE_BYTES: Final = 8 * 1024
"""Events are kept for years, twice each, and as text, which takes a third more: at 10,000 episodes a KiB is 27 MB."""
_COLUMN_TYPES: Final[dict[type, str]] = {bool: "bool", int: "int", float: "float"}


def shown(values: Mapping[str, object]) -> Metadata:
    """Plain values as metadata; what is None, empty, or no finite number is left out.

    Args:
        values: Text, numbers, booleans, paths; lists of text; lists of mappings (a table's rows); mappings. Units in
            the keys.
    """
    return {key: _entry(key, value) for key, value in values.items() if _says_something(value)}


def _says_something(value: object) -> bool:
    if isinstance(value, float):
        return math.isfinite(value)
    return value is not None and (not isinstance(value, Sized) or len(value) > 0)


def _entry(key: str, value: object) -> dg.MetadataValue[Any]:
    if isinstance(value, str) and key.endswith("path"):
        return dg.MetadataValue.path(value)
    convert = next(convert for kind, convert in _CONVERSIONS if isinstance(value, kind))
    return convert(value)


def _listed(items: Sequence[object]) -> dg.MetadataValue[Any]:
    rows = [item for item in items if isinstance(item, Mapping)]
    return table(rows) if len(rows) == len(items) else dg.MetadataValue.md("\n".join(f"- {item}" for item in items))


def table(rows: Sequence[Record]) -> dg.TableMetadataValue:
    """A table; its columns are those of its first row."""
    names = list(rows[0])
    columns = [dg.TableColumn(name, type=_column_type([row.get(name) for row in rows])) for name in names]
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def picture(path: Path, *, alt: str) -> Metadata:
    """A small picture, shown in the page itself: it travels inside the metadata, so that the web server need not have it.

    Args:
        path: The file, whose suffix says what it is: `.png`, `.avif`.
        alt: What it shows, for those who do not see it; with `_` for its blanks the key.

    Returns:
        One entry; none where the file is not there, or takes more room than every episode's event can have.
    """
    if not path.is_file() or path.stat().st_size > _MOST_PICTURE_BYTES:
        return {}
    shown_picture = md_picture(path.read_bytes(), alt=alt, kind=path.suffix[1:])
    return {alt.replace(" ", "_"): dg.MetadataValue.md(shown_picture)}


def link(url: str, *, path: Path) -> dg.UrlMetadataValue | None:
    """A link to where a file is shown; None where it is not there."""
    return dg.MetadataValue.url(url) if path.is_file() else None


def with_unit(name: str, unit: str) -> str:
    """A metadata key for a value in a unit, as it can be typed: `worst_ms`, `worst_percent`."""
    return f"{name}_{unit.replace('%', 'percent').replace('/', '_per_').replace(' ', '_')}"


def _cell(value: object) -> str | int | float | bool | None:
    if isinstance(value, str):
        # The web UI makes a column as narrow as its longest word; what is short reads better on one line.
        return value.replace(" ", "\u00a0") if len(value) <= _ONE_LINE else value
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _column_type(values: Sequence[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    return _COLUMN_TYPES.get(kinds.pop(), "string") if len(kinds) == 1 else "string"


_CONVERSIONS: Final[tuple[tuple[type, Callable[[Any], dg.MetadataValue[Any]]], ...]] = (
    (dg.MetadataValue, lambda value: value),
    (bool, dg.MetadataValue.bool),  # before int, which it is as well
    (int, dg.MetadataValue.int),
    (float, dg.MetadataValue.float),
    (Path, dg.MetadataValue.path),
    (str, dg.MetadataValue.text),
    (Sequence, _listed),
    (Mapping, dg.MetadataValue.json),
    (object, lambda value: dg.MetadataValue.text(str(value))),
)
