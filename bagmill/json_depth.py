"""How deep a parsed JSON value is: the parser goes as deep as Python's stack, and no walk over the value does."""

from __future__ import annotations

from typing import Any

from bagmill.limits import limits


def check_depth(value: Any, *, what: str) -> None:
    """Refuse a value with too many levels, which are gone through one by one.

    Args:
        value: Of dicts, lists and what stands in them.
        what: It is the depth of.

    Raises:
        LimitError: It has too many.
    """
    level, depth = [value], 1
    while level:
        limits().check("nesting", depth, what=f"the depth of {what}")
        level = [part for each in level for part in _parts(each)]
        depth += 1


def _parts(value: Any) -> list[Any]:
    """The lists and objects in one."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [part for part in inner if isinstance(part, dict | list)]
