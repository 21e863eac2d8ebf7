"""A message stripped of its values: what is left tells the form that it has."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from bagmill.messages.numeric import MAX_NUMBERS
from bagmill.messages.tree import children, is_list

_NAMING = re.compile(
    r"(.*_)?(name|ids?|label|class|frame|key|ns|namespace|type|index|number|serial|device|tag|motor|joint|link|source|topic|uuid"
    r"|model|object|marker|axis|kind|role|side)|header",
    re.IGNORECASE,
)  # header: a list's elements are told apart by their frames
_NAMING_NUMBERS = re.compile(
    r"(.*_)?(ids?|type|class|tag|marker|uuid|index|number|serial|device|motor|joint|axis|slot|port)", re.IGNORECASE
)
"""By which whole numbers tell elements apart; others count."""
MOST_NAMES: Final = 256
"""Longer lists of texts or ids name nothing that one trains on."""


def names_something(field: str) -> bool:
    """Whether a field of an element of a list tells the element from the others: `child_frame_id`, `name`, `marker_id`."""
    return _NAMING.fullmatch(field) is not None


def is_number_that_names(field: str) -> bool:
    """Whether whole numbers in a field of an element of a list tell the element from the others: `marker_id`, `uuid`."""
    return _NAMING_NUMBERS.fullmatch(field) is not None


def example_of(message: Any) -> Any:
    """A message as plain dicts and lists, with 0 for every number and without texts that name nothing.

    Kept are lists of texts and of ids, and inside lists of messages the texts and whole numbers by which one element is
    told from another. A list of more than `MAX_NUMBERS` numbers comes out empty.

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
        return value if is_in_list and is_number_that_names(field) else 0
    if isinstance(value, float):
        return 0.0
    if isinstance(value, np.ndarray | np.generic):
        if value.dtype.kind in "iu" and value.size <= MOST_NAMES and is_kept(field, is_in_list=is_in_list):
            return np.ravel(value).tolist()
        return [0] * value.size if value.size <= MAX_NUMBERS else []
    if (parts := children(value)) is not None:
        return {name: _plain(part, name, is_in_list=is_in_list) for name, part in parts}
    if not is_list(value):
        return None
    if all(isinstance(item, str) for item in value):
        return list(value) if len(value) <= MOST_NAMES else [""] * len(value)
    if len(value) <= MOST_NAMES and is_kept(field, is_in_list=is_in_list) and all(type(item) is int for item in value):
        return list(value)
    if len(value) > MAX_NUMBERS:
        return []
    return [_plain(item, field if not children(item) else "", is_in_list=children(item) is not None) for item in value]


def is_kept(field: str, *, is_in_list: bool) -> bool:
    """Whether a list of whole numbers names something: the elements of the list beside it, or the one that it stands in."""
    return field.lower().endswith("ids") or (is_in_list and is_number_that_names(field))


def has_naming_numbers(example: Any) -> bool:
    """Whether whole numbers in an example name something, so that its form hangs on them."""
    return _has_naming_numbers(example, "", is_in_list=False)


def _has_naming_numbers(value: Any, field: str, *, is_in_list: bool) -> bool:
    if isinstance(value, dict):
        return any(_has_naming_numbers(part, name, is_in_list=is_in_list) for name, part in value.items())
    if isinstance(value, list):
        if value and is_kept(field, is_in_list=is_in_list) and all(type(item) is int for item in value):
            return True
        return any(_has_naming_numbers(item, "", is_in_list=True) for item in value)
    return is_in_list and type(value) is int and is_number_that_names(field)
