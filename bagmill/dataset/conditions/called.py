"""A condition's methods: `.isna()`, `.str.contains('x')`, `.dt.year`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bagmill.dataset.conditions.bounds import MOST_FILLER, WHOLE_NUMBERS, Deadline, UnfitError
from bagmill.dataset.conditions.operations import applied, compared, is_among
from bagmill.dataset.conditions.patterns import is_plain, matches
from bagmill.dataset.conditions.values import NAMED, Kind, Scalar, Texts, Value, Values, kind_of, scalar, time_of

if TYPE_CHECKING:
    import pandas as pd

_MOST_DECIMALS: Final = 20
_RANKS: Final = ("average", "min", "max", "first", "dense")
_NA_OPTIONS: Final = ("keep", "top", "bottom")
_INTERPOLATIONS: Final = ("linear", "lower", "higher", "midpoint", "nearest")
_INCLUSIVE: Final = {"both": ("<=", "<="), "left": ("<=", "<"), "right": ("<", "<="), "neither": ("<", "<")}


@dataclass(frozen=True, slots=True)
class _Call:
    """A method's name and arguments, by the parameters' names."""

    name: str
    arguments: Mapping[str, Scalar | list[Scalar]]
    deadline: Deadline

    def unfit(self, value: Value) -> UnfitError:
        column = "a column of " if isinstance(value, Values | Texts) else ""
        return UnfitError(
            f"asks for `.{self.name}` of {column}{NAMED[kind_of(value)]}", "Ask it of a column that has it"
        )

    def truth(self, name: str, default: bool) -> bool:
        found = self.arguments.get(name, default)
        if not isinstance(found, bool):
            raise self._wrong(name, "True or False")
        return found

    def text(self, name: str) -> str:
        found = self.arguments.get(name)
        if not isinstance(found, str):
            raise self._wrong(name, "a text")
        return found

    def one_of(self, name: str, known: tuple[str, ...]) -> str:
        found = self.arguments.get(name, known[0])
        if found not in known:
            raise self._wrong(name, f"one of {', '.join(known)}")
        return str(found)

    def only_default(self, name: str, *defaults: object) -> None:
        """Refuse what would have another meaning and is not there."""
        if name in self.arguments and not any(
            self.arguments[name] == each and type(self.arguments[name]) is type(each) for each in defaults
        ):
            raise self._wrong(name, " or ".join(map(str, defaults)))

    def _wrong(self, name: str, wanted: str) -> UnfitError:
        return UnfitError(f"has an argument `{name}` of `.{self.name}` that is not {wanted}", f"Give {wanted}")


def called(name: str, value: Value, arguments: Mapping[str, Scalar | list[Scalar]], *, deadline: Deadline) -> Value:
    """A method of a value.

    Args:
        name: As in `methods.METHODS`.
        value: Of which it is asked.
        arguments: By the parameters' names.
        deadline: Of the whole condition.

    Raises:
        UnfitError: It is not for such values, or an argument is wrong.
    """
    call = _Call(name, arguments, deadline)
    if name.startswith("str."):
        if not isinstance(value, Texts):
            raise call.unfit(value)
        return _TEXT_METHODS[name.removeprefix("str.")](call, value)
    if name.startswith("dt."):
        if not isinstance(value, Values) or value.kind != "time":
            raise call.unfit(value)
        return _part_of_time(name.removeprefix("dt."), value)
    if name in ("abs", "round"):
        return applied("abs", value) if name == "abs" else _rounded(call, value)
    if not isinstance(value, Values | Texts):
        raise call.unfit(value)
    if name in _SUMMARIES:
        return _summary(call, value)
    return _METHODS[name](call, value)


def _is_missing(value: Values | Texts) -> NDArray[np.bool_]:
    if isinstance(value, Texts):
        return value.is_null()
    if value.kind == "truth":
        return np.zeros(len(value.array), np.bool_) if value.is_missing is None else value.is_missing
    # Of whole numbers none is missing.
    is_missing: NDArray[np.bool_] = value.array != value.array
    return is_missing


def _isna(_: _Call, value: Values | Texts) -> Value:
    return Values("truth", _is_missing(value))


def _notna(_: _Call, value: Values | Texts) -> Value:
    return Values("truth", ~_is_missing(value))


def _isin(call: _Call, value: Values | Texts) -> Value:
    items = call.arguments["values"]
    if not isinstance(items, list):
        raise UnfitError("asks `.isin` without a list", "Write `task.isin(['pick', 'place'])`")
    return is_among(value, items)


def _between(call: _Call, value: Values | Texts) -> Value:
    left, right = call.arguments["left"], call.arguments["right"]
    if isinstance(left, list) or isinstance(right, list):
        raise UnfitError("asks `.between` with a list", "Give the least and the most")
    first, second = _INCLUSIVE[call.one_of("inclusive", tuple(_INCLUSIVE))]
    above, below = compared(first, left, value), compared(second, value, right)
    assert isinstance(above, Values)
    assert isinstance(below, Values)
    return Values("truth", above.array & below.array)


def _fillna(call: _Call, value: Values | Texts) -> Value:
    filler = call.arguments["value"]
    if isinstance(filler, str) and value.kind == "time":
        filler = time_of(filler)
    if isinstance(filler, list) or kind_of(filler) != value.kind:
        raise UnfitError(f"fills {NAMED[value.kind]} with something else", "Give one value of the column's own kind")
    if isinstance(value, Texts):
        return _filled(value, str(filler))
    is_missing = _is_missing(value)
    if not is_missing.any():
        return value
    return Values(value.kind, np.where(is_missing, np.asarray(filler, value.array.dtype), value.array))


def _filled(texts: Texts, filler: str) -> Texts:
    """Texts with what is missing filled: the filler is there once, however many rows it stands in."""
    if len(filler) > MOST_FILLER:
        raise UnfitError(f"fills with a text of more than {MOST_FILLER:,} characters", "Give a shorter one")
    codes = np.arange(len(texts.values)) if texts.codes is None else texts.codes
    values = pa.concat_arrays([texts.values, pa.array([filler], pa.large_string())])
    return Texts(values, np.where(texts.is_null(), len(texts.values), codes))


def _duplicated(call: _Call, value: Values | Texts) -> Value:
    keep: Any = call.arguments.get("keep", "first")
    if not (keep is False or keep in ("first", "last")):
        raise UnfitError("asks `.duplicated` with another `keep`", "Give 'first', 'last' or False")
    return Values("truth", _series(value).duplicated(keep=keep).to_numpy())


def _rank(call: _Call, value: Values | Texts) -> Value:
    if not isinstance(value, Values) or value.kind == "truth":
        raise call.unfit(value)
    call.only_default("axis", 0)
    call.only_default("numeric_only", False)
    method: Any = call.one_of("method", _RANKS)
    na_option: Any = call.one_of("na_option", _NA_OPTIONS)
    ranks = _series(value).rank(
        method=method, na_option=na_option, ascending=call.truth("ascending", True), pct=call.truth("pct", False)
    )
    return Values("number", ranks.to_numpy(dtype=np.float64))


def _rounded(call: _Call, value: Value) -> Value:
    if kind_of(value) != "number":
        raise call.unfit(value)
    decimals: Any = call.arguments.get("decimals", 0)
    if not isinstance(decimals, int) or isinstance(decimals, bool) or abs(decimals) > _MOST_DECIMALS:
        raise UnfitError("rounds to a number of places that is none", f"Give a whole number up to {_MOST_DECIMALS}")
    array = value.array if isinstance(value, Values) else np.asarray(value)
    if array.dtype.kind in "iu":
        if decimals >= 0:
            return value
        array = array.astype(np.float64)
    with np.errstate(all="ignore"):
        found = np.round(array, decimals)
    return Values("number", found) if isinstance(value, Values) else scalar(found[()])


_SUMMARIES: Final[dict[str, tuple[Kind, ...]]] = {
    **dict.fromkeys(("min", "max", "mean", "median", "quantile"), ("number", "time")),
    "std": ("number",),
    "sum": ("number", "truth"),
}
"""By the kinds of columns that have them."""


def _summary(call: _Call, value: Values | Texts) -> Value:
    if value.kind not in _SUMMARIES[call.name]:
        raise call.unfit(value)
    if isinstance(value, Values) and value.kind == "truth":
        return int(value.array.sum())
    series = _series(value)
    if call.name == "quantile":
        interpolation: Any = call.one_of("interpolation", _INTERPOLATIONS)
        q: Any = call.arguments.get("q", 0.5)
        if not isinstance(q, int | float) or isinstance(q, bool) or not 0 <= q <= 1:
            raise UnfitError("asks for a quantile that is none", "Give a number from 0 to 1")
        return scalar(series.quantile(q, interpolation=interpolation))
    if call.name == "sum" and series.dtype.kind in "iu" and _is_sum_beyond(series.to_numpy()):
        raise UnfitError("gives whole numbers beyond 64 bits", "Ask for `.mean()`")
    return scalar(getattr(series, call.name)())


def _is_sum_beyond(numbers: NDArray[Any]) -> bool:
    return bool(np.abs(np.sum(numbers, dtype=np.float64)) >= WHOLE_NUMBERS * 0.999)


def _part_of_time(part: str, value: Values) -> Value:
    if part == "date":
        # Its midnight, so that it compares as any other time.
        return Values("time", value.array.astype("datetime64[D]").astype("datetime64[ns]"))
    import pandas as pd  # noqa: PLC0415 - see `dataset.snapshot`

    found = getattr(pd.DatetimeIndex(value.array), part)
    return Values("number", found.to_numpy(dtype=np.float64, na_value=np.nan))


def _contains(call: _Call, texts: Texts) -> Value:
    call.only_default("flags", 0)
    pattern, is_case_kept = call.text("pat"), call.truth("case", True)
    if call.truth("regex", True) and not (is_case_kept and is_plain(pattern)):
        found = matches(texts.values, pattern, where="anywhere", is_case_kept=is_case_kept, deadline=call.deadline)
        return _found(call, texts, found)
    return _found(call, texts, pc.match_substring(texts.values, pattern, ignore_case=not is_case_kept))


def _matched(call: _Call, texts: Texts) -> Value:
    call.only_default("flags", 0)
    found = matches(
        texts.values,
        call.text("pat"),
        where="whole" if call.name == "str.fullmatch" else "begin",
        is_case_kept=call.truth("case", True),
        deadline=call.deadline,
    )
    return _found(call, texts, found)


def _begins(call: _Call, texts: Texts) -> Value:
    given = call.arguments["pat"]
    patterns = given if isinstance(given, list) else [given]
    by_length: dict[int, set[str]] = {}
    for pattern in patterns:
        if not isinstance(pattern, str):
            raise UnfitError("looks for what is no text", "Give a text, or several in parentheses")
        by_length.setdefault(len(pattern), set()).add(pattern)
    found = np.zeros(len(texts.values), np.bool_)
    # Not each by itself: a condition has room for ten thousand, of which at most a few hundred differ in their length.
    for length, alike in by_length.items():
        call.deadline.check()
        is_one = _is_any_end(texts.values, alike, length, at_end=call.name == "str.endswith")
        found |= pc.fill_null(is_one, False).to_numpy(zero_copy_only=False)
    return _found(call, texts, found)


def _is_any_end(texts: pa.Array, ends: Collection[str], length: int, *, at_end: bool) -> pa.Array:
    """Whether texts begin, or end, with one of several of one length."""
    if len(ends) == 1:
        (end,) = ends
        return pc.ends_with(texts, end) if at_end else pc.starts_with(texts, end)
    cut = pc.utf8_slice_codeunits(texts, -length) if at_end else pc.utf8_slice_codeunits(texts, 0, length)
    return pc.is_in(cut, pa.array(ends, texts.type))


def _found(call: _Call, texts: Texts, found: pa.Array | NDArray[np.bool_]) -> Values:
    rows = texts.by_row(found)
    return Values("truth", rows | texts.is_null() if call.truth("na", False) else rows)


def _len(_: _Call, texts: Texts) -> Value:
    found = pc.utf8_length(texts.values).to_numpy(zero_copy_only=False).astype(np.float64)
    return Values("number", found if texts.codes is None else np.append(found, np.nan)[texts.codes])


def _lower(_: _Call, texts: Texts) -> Value:
    return _changed(texts, str.lower, pc.ascii_lower)


def _upper(_: _Call, texts: Texts) -> Value:
    return _changed(texts, str.upper, pc.ascii_upper)


def _stripped(call: _Call, texts: Texts) -> Value:
    characters = call.text("to_strip") if "to_strip" in call.arguments else _spaces()
    return Texts(pc.utf8_trim(texts.values, characters=characters), texts.codes) if characters else texts


@cache
def _spaces() -> str:
    """What `str.strip` takes off."""
    return "".join(filter(str.isspace, map(chr, range(sys.maxunicode + 1))))


def _changed(texts: Texts, change: Callable[[str], str], change_ascii: Callable[[pa.Array], pa.Array]) -> Texts:
    """Every text changed, as Python does it."""
    if pc.all(pc.string_is_ascii(texts.values)).as_py() is not False:
        return Texts(change_ascii(texts.values), texts.codes)
    changed = [None if each is None else change(each) for each in texts.values.to_pylist()]
    return Texts(pa.array(changed, pa.large_string()), texts.codes)


def _series(value: Values | Texts) -> pd.Series[Any]:
    import pandas as pd  # noqa: PLC0415 - see `dataset.snapshot`

    if isinstance(value, Texts):
        return pd.Series(value.plain().to_numpy(zero_copy_only=False), dtype=object)
    if value.is_missing is not None:
        return pd.Series(value.array.astype(object)).mask(value.is_missing, None)
    return pd.Series(value.array)


_METHODS: Final[dict[str, Callable[[_Call, Values | Texts], Value]]] = {
    "isna": _isna,
    "notna": _notna,
    "isin": _isin,
    "between": _between,
    "fillna": _fillna,
    "duplicated": _duplicated,
    "rank": _rank,
}
_TEXT_METHODS: Final[dict[str, Callable[[_Call, Texts], Value]]] = {
    "contains": _contains,
    "match": _matched,
    "fullmatch": _matched,
    "startswith": _begins,
    "endswith": _begins,
    "lower": _lower,
    "upper": _upper,
    "strip": _stripped,
    "len": _len,
}
