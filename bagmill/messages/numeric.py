"""Decoded messages → the numbers in them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages.field_path import is_addressable
from bagmill.messages.tree import children, is_list, is_stamp

MAX_NUMBERS = 4096
"""A field of more numbers is a picture, a map or a point cloud, not a signal."""

EXACT_TO = 2**53
"""Every whole number up to here is a float64."""

_NUMBERS = (bool, int, float)

_MAX_LISTED = 64
"""Messages of a list that the inventory lists one by one; longer lists are told as one field."""


def numbers_of(value: Any) -> NDArray[np.float64]:
    """Every number in a value, in the order of its definition.

    Text, blobs and points in time inside messages are passed over; booleans are 0 and 1.

    Args:
        value: A number, an array, a message, or a list of any of them.

    Returns:
        float64 (D,), no view of the message.

    Raises:
        DecodeError: The value itself is no number and holds none, or float64 does not hold a whole number exactly.
    """
    if isinstance(value, np.ndarray | np.generic) and value.dtype.kind in "biuf":
        if value.dtype.kind in "iu" and value.dtype.itemsize == 8:
            return _exact(np.ravel(value).tolist())
        with np.errstate(invalid="ignore"):  # a float32 that is a signalling nan
            return np.array(value, np.float64).ravel()
    if _is_passed_over(value):
        raise DecodeError(f"expected numbers, found {'nothing' if value is None else type(value).__name__}")
    if isinstance(value, list) and any(item is None for item in value):
        raise DecodeError(f"expected numbers, found a list of {len(value)} with nothing in some places")
    numbers: list[float] = []
    _gather(value, numbers)
    return _exact(numbers)


def _exact(numbers: list[float]) -> NDArray[np.float64]:
    try:
        values = np.array(numbers, np.float64)
    except OverflowError as err:
        raise DecodeError("a whole number that is too large for a float64") from err
    if (np.abs(values) >= EXACT_TO).any():  # the next whole number is rounded to it
        for number in numbers:
            if isinstance(number, int) and int(float(number)) != number:
                raise DecodeError(
                    f"the whole number {number}, which float64 does not hold exactly",
                    remedy="Take the message's other fields; a stamp belongs into `stamp`, not into a feature",
                )
    return values


def numeric_fields(message: Any) -> dict[str, int]:
    """How many numbers there are at every path of a message, in the order of its definition.

    Listed are leaves, and every composite with all that is in it; headers, points in time, text, blobs, empty fields
    and whatever holds more than `MAX_NUMBERS` numbers are not.

    Args:
        message: From a message decoder.
    """
    fields: dict[str, int] = {}
    for name, value in () if is_stamp(message) else children(message) or ():
        _count(value, name, fields if is_addressable(name) else {})
    return {path: count for path, count in fields.items() if 0 < count <= MAX_NUMBERS}


def number_types(message: Any, *, is_typed: bool = False) -> dict[str, str]:
    """The type of every number in a message by what Python makes of it: `bool`, `int64`, `float64`, with `[]` in a list.

    Elements of a list of messages have one path: `motors[:].q`. Of numbers of several types in one list it is the widest.

    Args:
        message: From a message decoder, or plain dicts and lists.
        is_typed: The message has whole numbers only where its definition has them. JSON writes 1.0 as 1.
    """
    types: dict[str, str] = {}
    for name, value in () if is_stamp(message) else children(message) or ():
        _type(value, name, types)
    return types if is_typed else {path: kind.replace("int64", "float64") for path, kind in types.items()}


_WIDTH = ("bool", "int64", "float64")


def _type(value: Any, path: str, types: dict[str, str]) -> None:
    if isinstance(value, _NUMBERS):
        kinds, suffix = [_WIDTH[_NUMBERS.index(type(value))]], ""
    elif isinstance(value, np.ndarray):
        kinds, suffix = [value.dtype.name], "[]"
    elif _is_passed_over(value):
        return
    elif (parts := children(value)) is not None:
        for name, part in parts:
            _type(part, f"{path}.{name}", types)
        return
    elif value and all(isinstance(item, _NUMBERS) for item in value):
        kinds, suffix = [_WIDTH[_NUMBERS.index(type(item))] for item in value], "[]"
    else:
        for item in value:
            _type(item, f"{path}[:]", types)
        return
    before = types.get(path, "").removesuffix("[]")
    if before in _WIDTH:
        kinds.append(before)
    types[path] = max(kinds, key=lambda kind: _WIDTH.index(kind) if kind in _WIDTH else 0) + suffix


def _count(value: Any, path: str, fields: dict[str, int]) -> int:
    """Enter a value and its parts, and return how many numbers `_gather` finds in it."""
    if _is_passed_over(value):
        return 0
    if isinstance(value, _NUMBERS):
        fields[path] = 1
        return 1
    if isinstance(value, np.ndarray):
        fields[path] = value.size
        return value.size
    fields[path] = 0  # a composite's place in the order is before its parts
    if (parts := children(value)) is not None:
        count = sum(_count(part, f"{path}.{name}", fields if is_addressable(name) else {}) for name, part in parts)
    elif all(isinstance(item, _NUMBERS) for item in value):
        count = len(value)
    else:
        listed = fields if len(value) <= _MAX_LISTED else {}
        count = sum(_count(part, f"{path}[{n}]", listed) for n, part in enumerate(value))
    fields[path] = count
    return count


def _gather(value: Any, numbers: list[float]) -> None:
    if isinstance(value, _NUMBERS):
        numbers.append(value)
    elif isinstance(value, np.ndarray):
        numbers.extend(value.tolist())
    elif is_stamp(value):
        return
    elif (parts := children(value)) is not None:
        for _, part in parts:
            _gather(part, numbers)
    elif is_list(value):
        if all(isinstance(item, _NUMBERS) for item in value):
            numbers.extend(value)
            return
        for item in value:
            _gather(item, numbers)


def _is_passed_over(value: Any) -> bool:
    if isinstance(value, (*_NUMBERS, np.ndarray)):
        return False
    return is_stamp(value) or (children(value) is None and not is_list(value))
