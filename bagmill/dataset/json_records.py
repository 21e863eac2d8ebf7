"""Frozen dataclasses ↔ JSON, strictly: what is read back is what was written, or an error says where it is not.

JSON has no NaN and no infinity. NaN is written as null, and read back as NaN wherever a field is a number that cannot
be None; infinities are written as `{"float": "inf"}` and `{"float": "-inf"}`.

The last key, `checksum`, is taken over all bytes before it: a flipped bit is found when the file is read. Files from before
they had one are read as they are.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
import types
from collections.abc import Callable, Hashable, Mapping
from functools import cache
from typing import Any, Literal, TypeVar, Union, cast, get_args, get_origin, get_type_hints

import numpy as np

from bagmill.disk import bytes_checksum

T = TypeVar("T")
_Reader = Callable[[Any, str], Any]
_Readers = dict[type, _Reader]
"""Type of a parsed JSON value → how it is read as the kind wanted; other types are wrong there."""

_SEAL = b', "checksum": "%s"}'
_SEALED = re.compile(rb', "checksum": "(crc32c:[0-9a-f]{8})"\}\s*\Z')
_SEAL_BYTES = 36
"""At most, with the line's end."""

_INT64 = 1 << 63
_INFINITIES = {"inf": math.inf, "-inf": -math.inf}


def to_json(
    record: object, *, schema: str, derived: Mapping[str, object] | None = None, is_sealed: bool = True
) -> bytes:
    """A dataclass as JSON with the name of its schema in front.

    Args:
        record: Of dataclasses, mappings with text keys, tuples, lists, text, numbers (NumPy's too), booleans and None.
        schema: Name and version of the layout.
        derived: Further keys, for readers who want only those; not read back into the dataclass.
        is_sealed: With a checksum. False for what is part of something that has one.

    Raises:
        TypeError: It holds something that JSON has no form for.
    """
    content = {"schema": schema, **_plain(record), **_plain(derived or {})}
    data = json.dumps(content, allow_nan=False).encode("ascii")
    return (seal(data) if is_sealed else data) + b"\n"


def seal(data: bytes) -> bytes:
    """A JSON object, not empty, with its checksum as the last key."""
    return data[:-1] + _SEAL % bytes_checksum(data).encode("ascii")


def has_seal(data: bytes) -> bool:
    """Whether a JSON object has a checksum as its last key."""
    return _SEALED.search(data) is not None


def check_seal(data: bytes) -> None:
    """Compare a JSON object with its checksum; one that has none passes.

    Raises:
        ValueError: It does not match.
    """
    found = _SEALED.search(data)
    if found is None:
        # One flipped bit leaves half of a seal legible: what has that half had the whole.
        end = data[-_SEAL_BYTES:]
        is_damaged = b'"checksum"' in end or b"crc32c:" in end
    else:
        is_damaged = bytes_checksum(data[: found.start()] + b"}").encode("ascii") != found[1]
    if is_damaged:
        raise ValueError("its bytes do not match their checksum: it was damaged, or changed by hand")


def from_json(data: bytes, kind: type[T], *, schema: str) -> T:
    """Read a dataclass back; keys that it does not have are passed over.

    Raises:
        ValueError: The bytes are not JSON, do not match their checksum, are of another schema, or hold something else than
            `kind` says; names the place.
    """
    check_seal(data)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError) as err:
        raise ValueError(f"is not JSON ({err})") from err
    found = content.get("schema") if isinstance(content, dict) else None
    if found != schema:
        raise ValueError(f"expected schema {schema}, found {found!r}")
    # a cast, because mypy does not count type[T] as hashable
    read: T = _read(content, _readers(cast("Hashable", kind)), "$")
    return read


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, str | bool | int):
        return value
    if isinstance(value, float):
        if math.isnan(value):
            return None
        return value if math.isfinite(value) else {"float": "inf" if value > 0 else "-inf"}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if dataclasses.is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def _read(value: Any, readers: _Readers, place: str) -> Any:
    reader = readers.get(type(value))
    if reader is None:
        expected = " or ".join(sorted({kind.__name__ for kind in readers}))
        raise ValueError(f"expected {expected}, found {type(value).__name__} @ {place}")
    return reader(value, place)


@cache
def _readers(kind: Hashable) -> _Readers:
    """How values of a type annotation are read, by the JSON type they come as."""
    origin = get_origin(kind)
    readers = _SIMPLE.get(kind)
    if origin in (Union, types.UnionType):
        readers = {}
        # int before float: a whole number of `int | float` stays one
        for member in sorted(get_args(kind), key=lambda member: member is float):
            readers = {**_readers(member), **readers}
    elif origin is Literal:
        readers = _literal_readers(get_args(kind))
    elif origin is tuple:
        readers = {list: _list_reader(get_args(kind)[0])}
    elif isinstance(origin, type) and issubclass(origin, Mapping):
        readers = {dict: _mapping_reader(get_args(kind)[1])}
    elif dataclasses.is_dataclass(kind):
        readers = {dict: _dataclass_reader(kind)}
    if readers is None:
        raise TypeError(f"{kind} has no reader")
    return readers


def _as_is(value: Any, _place: str) -> Any:
    return value


def _whole(value: Any, place: str) -> int:
    if not -_INT64 <= value < _INT64:
        raise ValueError(f"expected a whole number of 64 bits, found a larger one @ {place}")
    return int(value)


def _number(value: Any, place: str) -> float:
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"expected a number, found one beyond any float @ {place}") from None


def _infinity(value: Any, place: str) -> float:
    found = value.get("float")
    if len(value) != 1 or found not in _INFINITIES:
        raise ValueError(f"expected a number, found an object @ {place}")
    return _INFINITIES[found]


def _any_list(value: Any, place: str) -> list[object]:
    return [_read(item, _readers(object), place) for item in value]


def _any_mapping(value: Any, place: str) -> object:
    if len(value) == 1 and value.get("float") in _INFINITIES:
        return _infinity(value, place)
    return {key: _read(item, _readers(object), f"{place}.{key}") for key, item in value.items()}


def _literal_readers(choices: tuple[Any, ...]) -> _Readers:
    def read(value: Any, place: str) -> Any:
        if value not in choices:
            raise ValueError(f"expected one of {', '.join(map(str, choices))}, found {value!r} @ {place}")
        return value

    return {type(choice): read for choice in choices}


def _list_reader(kind: Any) -> _Reader:
    readers = _readers(kind)
    return lambda value, place: tuple(_read(item, readers, f"{place}[{n}]") for n, item in enumerate(value))


def _mapping_reader(kind: Any) -> _Reader:
    readers = _readers(kind)
    return lambda value, place: {key: _read(item, readers, f"{place}.{key}") for key, item in value.items()}


def _dataclass_reader(kind: Any) -> _Reader:
    hints = get_type_hints(kind)
    fields = [(field.name, _readers(hints[field.name]), _is_required(field)) for field in dataclasses.fields(kind)]

    def read(value: Any, place: str) -> Any:
        missing = [name for name, _, is_required in fields if is_required and name not in value]
        if missing:
            raise ValueError(f"expected {', '.join(missing)}, found nothing @ {place}")
        return kind(
            **{name: _read(value[name], readers, f"{place}.{name}") for name, readers, _ in fields if name in value}
        )

    return read


def _is_required(field: dataclasses.Field[Any]) -> bool:
    return field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING


_SIMPLE: dict[Any, _Readers] = {
    str: {str: _as_is},
    int: {int: _whole},
    bool: {bool: _as_is},
    type(None): {type(None): _as_is},
    float: {float: _as_is, int: _number, type(None): lambda *_: math.nan, dict: _infinity},
    object: {**dict.fromkeys((str, int, float, bool, type(None)), _as_is), list: _any_list, dict: _any_mapping},
}
