"""Signs of a condition over values: comparisons, lists, arithmetic, and the functions of numbers."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bagmill.dataset.conditions.bounds import WHOLE_NUMBERS, UnfitError
from bagmill.dataset.conditions.values import NAMED, Kind, Scalar, Texts, Value, Values, kind_of, scalar, time_of

_COMPARE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_COMPARE_TEXTS: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "<": pc.less,
    "<=": pc.less_equal,
    ">": pc.greater,
    ">=": pc.greater_equal,
    "==": pc.equal,
    "!=": pc.not_equal,
}
_MIRRORED: Final = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_COMPUTE: Final[dict[str, Callable[[Any, Any], Any]]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "//": operator.floordiv,
    "%": operator.mod,
}
_FUNCTIONS: Final[dict[str, Callable[[Any], Any]]] = {
    "abs": np.abs,
    "ceil": np.ceil,
    "exp": np.exp,
    "floor": np.floor,
    "log": np.log,
    "log10": np.log10,
    "sqrt": np.sqrt,
}
_BEYOND: Final = "gives whole numbers beyond 64 bits"
_BEYOND_REMEDY: Final = "Begin with `1.0 *`"
_NUMBERS: Final = ("number", "truth")


def compared(sign: str, left: Value, right: Value) -> Value:
    """`left < right`, row by row; what is missing is never more, less or equal, and always `!=`.

    Raises:
        UnfitError: They are of different kinds.
    """
    left, right = _of_one_kind(left, right)
    if isinstance(left, Texts) or isinstance(right, Texts):
        return _texts_compared(sign, left, right)
    if not isinstance(left, Values) and not isinstance(right, Values):
        return bool(_COMPARE[sign](left, right))
    with np.errstate(all="ignore"):
        found = _COMPARE[sign](_array(left, right), _array(right, left))
    missing = [each.is_missing for each in (left, right) if isinstance(each, Values) and each.is_missing is not None]
    for is_missing in missing:
        found = found | is_missing if sign == "!=" else found & ~is_missing
    return Values("truth", found)


def is_among(value: Value, items: Sequence[Scalar]) -> Value:
    """`value in items`; what is missing is in no list.

    Raises:
        UnfitError: The items are of another kind, or of several.
    """
    if not items:
        return np_truths(value, is_true=False)
    if isinstance(value, Texts):
        if {kind_of(item) for item in items} != {"text"}:
            raise _different("text", next(kind_of(item) for item in items if kind_of(item) != "text"))
        wanted = pa.array(items, pa.large_string())
        return Values("truth", value.by_row(pc.is_in(value.values, wanted, skip_nulls=True)))
    if not isinstance(value, Values):
        # All of them: one of another kind is refused wherever it stands.
        return bool(sum(bool(compared("==", value, item)) for item in items))
    told = [_of_one_kind(value, item)[1] for item in items]
    if value.kind == "time":
        return Values("truth", np.isin(value.array, np.array(told, "datetime64[ns]")))
    numbers = [_whole(each) for each in told]
    if value.array.dtype.kind in "iu":
        # Only what such a column can hold: others would make floats of it, which are rounded.
        numbers = [each for each in numbers if isinstance(each, int) and -WHOLE_NUMBERS <= each < WHOLE_NUMBERS]
        found = np.isin(value.array, np.array(numbers, np.int64))
    else:
        found = np.isin(value.array, np.array(told, np.float64))
    return Values("truth", found if value.is_missing is None else found & ~value.is_missing)


def computed(sign: str, left: Value, right: Value) -> Value:
    """`left + right`, of numbers. Whole numbers stay exact; those that would leave 64 bits are refused.

    Raises:
        UnfitError: One is no number, or the result is beyond 64 bits.
    """
    for each in (left, right):
        if kind_of(each) != "number":
            raise UnfitError(
                f"computes with {NAMED[kind_of(each)]}",
                "Arithmetic is for numbers; texts have `.str`, times `.dt` and start_ns",
            )
    if not isinstance(left, Values) and not isinstance(right, Values):
        return _computed_singly(sign, _number(left), _number(right))
    with np.errstate(all="ignore"):
        return Values("number", _computed_by_row(sign, _numbers(left), _numbers(right)))


def _computed_by_row(sign: str, x: NDArray[Any], y: NDArray[Any]) -> NDArray[Any]:
    is_whole = x.dtype.kind == y.dtype.kind == "i"
    x_float, y_float = x.astype(np.float64), y.astype(np.float64)
    if sign == "/":
        return x_float / y_float
    if sign == "**":
        found = x_float**y_float
        is_exact = is_whole and (y >= 0).all() and (np.abs(found) < WHOLE_NUMBERS / 2).all()
        return x**y if is_exact else found
    compute = _COMPUTE[sign]
    if is_whole and sign in "+-*" and (np.abs(compute(x_float, y_float)) >= WHOLE_NUMBERS * 0.999).any():
        raise UnfitError(_BEYOND, _BEYOND_REMEDY)
    if is_whole and (sign in "+-*" or (y != 0).all()):
        whole: NDArray[Any] = compute(x, y)
        return whole
    # As pandas: what is divided by nothing is without end.
    return np.where(y_float == 0, x_float / y_float, x_float // y_float) if sign == "//" else compute(x_float, y_float)


def applied(name: str, value: Value) -> Value:
    """A function of numbers.

    Raises:
        UnfitError: It is no number.
    """
    if kind_of(value) != "number":
        raise UnfitError(f"asks for {name} of {NAMED[kind_of(value)]}", "It is for numbers")
    with np.errstate(all="ignore"):
        found = _FUNCTIONS[name](value.array if isinstance(value, Values) else np.asarray(_number(value)))
    return Values("number", found) if isinstance(value, Values) else scalar(found[()])


def negated(value: Value) -> Value:
    """`-value`.

    Raises:
        UnfitError: It is no number.
    """
    return computed("-", 0 if _is_whole(value) else -0.0, value)


def np_truths(value: Value, *, is_true: bool) -> Value:
    """The same for every row, or for a single value."""
    if isinstance(value, Texts):
        num = len(value.values) if value.codes is None else len(value.codes)
        return Values("truth", np.full(num, is_true))
    return Values("truth", np.full(len(value.array), is_true)) if isinstance(value, Values) else is_true


def _different(left: Kind, right: Kind) -> UnfitError:
    return UnfitError(f"compares {NAMED[left]} with {NAMED[right]}", "Compare a column with what it holds")


def _of_one_kind(left: Value, right: Value) -> tuple[Value, Value]:
    """Both, a text that is compared with a time as a time."""
    kinds = kind_of(left), kind_of(right)
    if kinds == ("time", "text") and isinstance(right, str):
        return left, time_of(right)
    if kinds == ("text", "time") and isinstance(left, str):
        return time_of(left), right
    if kinds[0] != kinds[1] and not all(kind in _NUMBERS for kind in kinds):
        raise _different(*kinds)
    return left, right


def _texts_compared(sign: str, left: Value, right: Value) -> Values:
    if not isinstance(left, Texts):
        left, right, sign = right, left, _MIRRORED[sign]
    assert isinstance(left, Texts)
    compare = _COMPARE_TEXTS[sign]
    if isinstance(right, Texts):
        is_missing = left.is_null() | right.is_null()
        found = Texts(left.plain(), None).by_row(compare(left.plain(), right.plain()))
    else:
        is_missing = left.is_null()
        found = left.by_row(compare(left.values, pa.scalar(right, pa.large_string())))
    return Values("truth", found | is_missing if sign == "!=" else found)


def _array(value: Value, other: Value) -> Any:
    """What NumPy compares exactly with the other: whole numbers are not made floats of, where that would round them."""
    if isinstance(value, Values):
        return value.array
    is_other_whole = isinstance(other, Values) and other.array.dtype.kind in "iu"
    return _whole(value) if is_other_whole else value


def _whole(value: Any) -> Any:
    """A float that is a whole number as an int; others as they are."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value


def _is_whole(value: Value) -> bool:
    return isinstance(value, int) if not isinstance(value, Values) else value.array.dtype.kind in "iu"


def _number(value: Value) -> float:
    assert isinstance(value, int | float)
    return value


def _numbers(value: Value) -> NDArray[Any]:
    return value.array if isinstance(value, Values) else np.asarray(_number(value))


def _computed_singly(sign: str, left: float, right: float) -> float:
    is_whole = isinstance(left, int) and isinstance(right, int)
    try:
        if sign == "/":
            return left / right
        if sign == "**":
            # As floats first: a whole number's digits would fill the memory.
            found = float(left) ** float(right)
            if isinstance(found, complex):
                raise UnfitError("is a root of what is below 0", "Take `abs` of it first")
            if is_whole and right >= 0 and abs(found) < WHOLE_NUMBERS:
                found = int(left) ** int(right)
            return float(found) if not isinstance(found, int) else found
        result: float = _COMPUTE[sign](left, right)
    except ZeroDivisionError as err:
        raise UnfitError("divides by 0", "Divide by something else") from err
    except OverflowError as err:
        raise UnfitError("gives a number that is too large", "Write a smaller exponent, or `inf`") from err
    if is_whole and abs(result) >= WHOLE_NUMBERS:
        raise UnfitError(_BEYOND, _BEYOND_REMEDY)
    return result
