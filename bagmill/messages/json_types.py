"""Which numbers of a JSON message are whole by its schema: JSON itself writes 1.0 as 1."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bagmill.errors import BagmillError
from bagmill.messages.json_text import parse_json

_TYPES = {"integer": "int64", "boolean": "bool"}
_MOST_DEEP = 16


def json_schema_types(schema_data: bytes) -> dict[str, str]:
    """Path → `int64` or `bool` of every number that the schema calls so, with `[]` in a list; empty where it tells nothing.

    Args:
        schema_data: A channel's JSON schema; what is none tells nothing. References are not followed.

    Source: json-schema.org, "JSON Schema Validation" 2020-12, section 6.1.1 (`type`).
    """
    try:
        schema = parse_json(schema_data)
    except (BagmillError, ValueError, RecursionError):
        return {}
    types: dict[str, str] = {}
    if isinstance(schema, dict):
        _enter_fields(schema, "", types, depth=0)
    return types


def _enter_fields(schema: Mapping[str, Any], prefix: str, types: dict[str, str], *, depth: int) -> None:
    fields = schema.get("properties")
    if isinstance(fields, dict) and depth < _MOST_DEEP:
        for name, field in fields.items():
            if isinstance(field, dict):
                _enter(field, f"{prefix}{name}", types, depth=depth + 1)


def _enter(schema: Mapping[str, Any], path: str, types: dict[str, str], *, depth: int) -> None:
    kind = schema.get("type")
    items = schema.get("items")
    if isinstance(kind, str) and kind in _TYPES:
        types[path] = _TYPES[kind]
    elif kind == "array" and isinstance(items, dict):
        item_kind = items.get("type")
        if isinstance(item_kind, str) and item_kind in _TYPES:
            types[path] = f"{_TYPES[item_kind]}[]"
        else:
            _enter_fields(items, f"{path}[:].", types, depth=depth)
    else:
        _enter_fields(schema, f"{path}.", types, depth=depth)
