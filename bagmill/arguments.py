"""Arguments of another type than a function takes: refused at its door, in words, instead of in its depths."""

from __future__ import annotations

import inspect
import math
import numbers
import os
import types
from collections.abc import Callable, Collection, Iterable, Mapping
from functools import cache, wraps
from pathlib import Path
from typing import Any, Final, Literal, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

from bagmill.errors import BagmillError

P = ParamSpec("P")
R = TypeVar("R")

_PLAIN: Final[dict[Any, str]] = {
    str: "a text",
    bool: "True or False",
    int: "a whole number",
    float: "a number",
    Path: "a path",
    type(None): "None",
}


def checked_arguments(
    error: type[BagmillError], *, leaves: Collection[str] = ()
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Have a function's arguments held against its annotations before it runs.

    Numbers of NumPy count as Python's; whole numbers may be floats; a text in place of a list, and which texts are allowed,
    is the function's own affair, which knows better what was meant.

    Args:
        error: What is raised of an argument that does not fit.
        leaves: Arguments that the function looks at itself.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        signature = inspect.signature(function)

        @wraps(function)
        def check_and_call(*args: P.args, **kwargs: P.kwargs) -> R:
            kinds = _kinds(function)
            bound = signature.bind(*args, **kwargs)
            for name, value in bound.arguments.items():
                if name in kinds and name not in leaves and not _fits(value, kinds[name]):
                    raise error(f"`{name}` is {_shown(value)}", remedy=f"Give {_described(kinds[name])}")
            return function(*bound.args, **bound.kwargs)

        return check_and_call

    return decorate


@cache
def _kinds(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function, without those that cannot be looked up: of libraries that are loaded late."""
    kinds: dict[str, Any] = {}
    for name, annotation in function.__annotations__.items():
        holder = types.SimpleNamespace(__annotations__={name: annotation})
        try:
            kinds |= get_type_hints(holder, globalns=inspect.unwrap(function).__globals__)
        except NameError:
            continue
    return kinds


def _fits(value: Any, kind: Any) -> bool:  # noqa: PLR0911 - one answer a kind
    origin, of = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return any(_fits(value, each) for each in of)
    if origin is Literal:
        return isinstance(value, type(of[0]))
    if kind is float or kind is int:
        return _is_number(value, is_whole=kind is int)
    if kind is Path:
        return isinstance(value, os.PathLike)
    if origin is tuple:
        is_row = isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)
        return is_row and (of[-1:] == (...,) or (len(value) == len(of) and all(map(_fits, value, of))))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        is_mapping = isinstance(value, Mapping)
        return is_mapping and all(_fits(key, of[0]) and _fits(item, of[1]) for key, item in value.items())
    if isinstance(origin, type) and issubclass(origin, Collection):
        if isinstance(value, Collection) and not isinstance(value, str | bytes):
            return all(_fits(item, of[0]) for item in value)
        return isinstance(value, Iterable) and not isinstance(value, bytes)
    if kind is bool:
        return isinstance(value, bool | np.bool_)
    try:
        return isinstance(value, kind)
    except TypeError:  # nothing that Python can tell by looking: a protocol, a type variable
        return True


def _is_number(value: Any, *, is_whole: bool) -> bool:
    if not isinstance(value, numbers.Real):
        return False
    return not is_whole or isinstance(value, numbers.Integral) or (math.isfinite(value) and value == math.floor(value))


def _described(kind: Any) -> str:
    origin, of = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(dict.fromkeys(map(_described, of)))
    if origin is Literal:
        return " or ".join(map(repr, of))
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return f"a dictionary of {_described(of[0])} → {_described(of[1])}"
    if origin is tuple and of[-1:] != (...,):
        return f"({', '.join(map(_described, of))})"
    if isinstance(origin, type) and issubclass(origin, Collection):
        return f"a list, each of it {_described(of[0])}"
    name = getattr(kind, "__name__", str(kind))
    return _PLAIN.get(kind, f"{'an' if name[0] in 'AEIO' else 'a'} {name}")


def _shown(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # a stranger's, or a number of too many digits  # noqa: BLE001
        text = "…"
    return f"{text if len(text) <= 60 else f'{text[:57]}…'} ({type(value).__name__})"
