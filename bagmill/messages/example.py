"""A message stripped of its values: what is left tells the form that it has."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from bagmill.messages.field_path import NAME_LISTS
from bagmill.messages.numeric import MAX_NUMBERS
from bagmill.messages.tree import children, is_list

_NAMING = re.compile(
    r"(.*_)?(name|id|label|class|frame|key)|header", re.IGNORECASE
)  # header: a list's elements are told apart by their frames


def names_something(field: str) -> bool:
    """Whether a field of an element of a list tells the element from the others: `child_frame_id`, `name`, `marker_id`."""
    return _NAMING.fullmatch(field) is not None


def example_of(message: Any) -> Any:
    """A message as plain dicts and lists, with 0 for every number and without texts that name nothing.

    Kept are lists of names (`name`, `joint_names`), and inside lists of messages the texts and whole numbers by which
    one element is told from another. A list of more than `MAX_NUMBERS` numbers comes out empty.

    Args:
        message: From a message decoder.
    """
    return _plain(message, "", is_in_list=False)


def _plain(value: Any, field: str, *, is_in_list: bool) -> Any:  # noqa: PLR0911 - one a kind of value
    if isinstance(value, str):
        return value if is_in_list and names_something(field) else ""
    if isinstance(value, bool):
        return False
    if isinstance(value, int):
        return value if is_in_list and names_something(field) else 0
    if isinstance(value, float):
        return 0.0
    if isinstance(value, np.ndarray | np.generic):
        return [0] * value.size if value.size <= MAX_NUMBERS else []
    if (parts := children(value)) is not None:
        return {name: _plain(part, name, is_in_list=is_in_list) for name, part in parts}
    if not is_list(value):
        return None
    if all(isinstance(item, str) for item in value):
        return list(value) if field in NAME_LISTS else [""] * len(value)
    if len(value) > MAX_NUMBERS:
        return []
    return [_plain(item, field if not children(item) else "", is_in_list=children(item) is not None) for item in value]


def has_naming_numbers(example: Any) -> bool:
    """Whether elements of a list in an example are told apart by whole numbers."""
    return _has_naming_numbers(example, is_in_list=False)


def _has_naming_numbers(value: Any, *, is_in_list: bool) -> bool:
    if isinstance(value, dict):
        return any(
            (is_in_list and isinstance(part, int) and not isinstance(part, bool) and names_something(name))
            or _has_naming_numbers(part, is_in_list=is_in_list)
            for name, part in value.items()
        )
    return isinstance(value, list) and any(_has_naming_numbers(item, is_in_list=True) for item in value)
