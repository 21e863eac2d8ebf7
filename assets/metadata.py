"""Plain values → what the web UI shows: numbers it can plot, tables, pictures, paths."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import dagster as dg

Metadata = dict[str, dg.MetadataValue[Any]]
Record = Mapping[str, object]

_COLUMN_TYPES: Final[dict[type, str]] = {bool: "bool", int: "int", float: "float"}


def shown(values: Mapping[str, object]) -> Metadata:
    """Plain values as metadata; what is None, empty, or no finite number is left out.

    Args:
        values: Text, numbers, booleans; lists of text; lists of mappings (a table's rows); mappings. Units in the keys.
    """
    metadata: Metadata = {}
    for key, value in values.items():
        entry = _entry(key, value)
        if entry is not None:
            metadata[key] = entry
    return metadata


def _entry(key: str, value: object) -> dg.MetadataValue[Any] | None:
    match value:
        case None | "" | [] | ():
            return None
        case bool():
            return dg.MetadataValue.bool(value)
        case int():
            return dg.MetadataValue.int(value)
        case float():
            return dg.MetadataValue.float(value) if math.isfinite(value) else None
        case str() if key.endswith("path"):
            return dg.MetadataValue.path(value)
        case Path():
            return dg.MetadataValue.path(value)
        case str():
            return dg.MetadataValue.text(value)
        case list() | tuple() if all(isinstance(row, Mapping) for row in value):
            return table(value)
        case list() | tuple():
            return dg.MetadataValue.md("\n".join(f"- {item}" for item in value))
        case Mapping() if value:
            return dg.MetadataValue.json(dict(value))
    return None


def table(rows: Sequence[Record]) -> dg.TableMetadataValue:
    """A table; its columns are those of its first row."""
    names = list(rows[0])
    columns = [dg.TableColumn(name, type=_column_type([row.get(name) for row in rows])) for name in names]
    records = [dg.TableRecord({name: _cell(row.get(name)) for name in names}) for row in rows]
    return dg.MetadataValue.table(records, schema=dg.TableSchema(columns))


def picture(path: Path, *, kind: str, alt: str) -> dg.MarkdownMetadataValue | None:
    """A picture, shown in the page itself: it travels inside the metadata, so that the web server needs no access to it.

    Args:
        path: The file; None is given back where it is not there.
        kind: `png` or `jpeg`.
        alt: What it shows, for those who do not see it.
    """
    if not path.is_file():
        return None
    data = base64.b64encode(path.read_bytes()).decode("ascii")
    return dg.MetadataValue.md(f"![{alt}](data:image/{kind};base64,{data})")


def with_unit(name: str, unit: str) -> str:
    """A metadata key for a value in a unit, as it can be typed: `worst_ms`, `worst_percent`."""
    return f"{name}_{unit.replace('%', 'percent').replace('/', '_per_').replace(' ', '_')}"


def _cell(value: object) -> str | int | float | bool | None:
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    return str(value)


def _column_type(values: Sequence[object]) -> str:
    kinds = {type(value) for value in values if value is not None}
    return _COLUMN_TYPES.get(kinds.pop(), "string") if len(kinds) == 1 else "string"
