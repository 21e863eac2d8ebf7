"""What the parts of a condition are worth: single values, and columns of a kind, with what is missing known."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from bagmill.dataset.conditions.bounds import UnfitError, shortened

if TYPE_CHECKING:
    import pandas as pd

Kind = Literal["number", "text", "time", "truth"]
Scalar = int | float | str | bool | np.datetime64
NAMED: Final[dict[Kind, str]] = {"number": "a number", "text": "text", "time": "a time", "truth": "true or false"}
_TIME: Final = re.compile(r"[0-9]{4}(?![0-9]*\Z)|[0-9]{4}\Z|[0-9]{8}\Z", re.ASCII)
"""How a text begins that says a time, the year first: others are read by guesses, or by the clock of today."""
_OFFSET_OF_ZONE: Final = re.compile(r"(?:UTC|GMT|Z)\s*[+-]", re.ASCII | re.IGNORECASE)
"""`UTC+2`, which pandas reads as two hours behind."""
_MOST_TIME: Final = 64
"""Characters of a text that says a time."""


@dataclass(frozen=True, slots=True)
class Values:
    """A column of numbers, times or truths."""

    kind: Kind
    array: NDArray[Any]
    """(N,), of numbers, datetime64[ns] or booleans; nan and NaT are missing, and of truths what is missing is False."""
    is_missing: NDArray[np.bool_] | None = None
    """(N,), of truths; None: none is."""


@dataclass(frozen=True, slots=True)
class Texts:
    """A column of texts, each different one perhaps only once."""

    values: pa.Array
    """Of large strings."""
    codes: NDArray[Any] | None
    """(N,), where in `values` each row's is, −1 where it is missing; None: row by row."""
    kind: Kind = "text"

    def by_row(self, is_true: pa.Array | pa.ChunkedArray | NDArray[np.bool_]) -> NDArray[np.bool_]:
        """What is true of `values`, for every row; of what is missing, nothing."""
        found = is_true if isinstance(is_true, np.ndarray) else _truths(is_true)
        return found if self.codes is None else np.append(found, False)[self.codes]

    def plain(self) -> pa.Array:
        """Row by row."""
        if self.codes is None:
            return self.values
        return self.values.take(pa.array(self.codes, mask=self.codes < 0))

    def is_null(self) -> NDArray[np.bool_]:
        """(N,)."""
        nulls: NDArray[np.bool_] = _truths(pc.is_null(self.values))
        return nulls if self.codes is None else np.append(nulls, True)[self.codes]


Value = Scalar | Values | Texts


def column_values(series: pd.Series[Any]) -> Values | Texts:  # noqa: PLR0911 - one for each kind of column
    """A table's column.

    Raises:
        UnfitError: It is neither of numbers, texts, times nor truths.
    """
    import pandas as pd  # noqa: PLC0415 - see `dataset.snapshot`

    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype) and pd.api.types.is_string_dtype(dtype.categories.dtype):
        return Texts(_strings(pd.Series(dtype.categories)), series.cat.codes.to_numpy())
    if isinstance(dtype, pd.CategoricalDtype):
        return column_values(series.astype(dtype.categories.dtype))
    if pd.api.types.is_object_dtype(dtype):
        return _values_of_objects(series)
    if pd.api.types.is_bool_dtype(dtype):
        is_missing = series.isna().to_numpy() if series.hasnans else None
        return Values("truth", series.to_numpy(dtype=np.bool_, na_value=False), is_missing)
    if pd.api.types.is_integer_dtype(dtype) and not series.hasnans:
        # Above 63 bits there are only floats: whole numbers are computed with as int64.
        is_beyond = pd.api.types.is_unsigned_integer_dtype(dtype) and bool((series >= 2**63).any())
        return Values("number", series.to_numpy(dtype=np.float64 if is_beyond else np.int64))
    if pd.api.types.is_integer_dtype(dtype) or pd.api.types.is_float_dtype(dtype):
        return Values("number", series.to_numpy(dtype=np.float64, na_value=np.nan))
    if isinstance(dtype, pd.DatetimeTZDtype):
        return Values("time", series.dt.tz_convert(None).to_numpy(dtype="datetime64[ns]"))
    if pd.api.types.is_datetime64_dtype(dtype):
        return Values("time", series.to_numpy(dtype="datetime64[ns]"))
    if pd.api.types.is_string_dtype(dtype):
        return Texts(_strings(series), None)
    raise UnfitError(f"is a column of {dtype}", "Name columns of numbers, texts, times, or of true and false")


def _values_of_objects(series: pd.Series[Any]) -> Values | Texts:
    found = series.to_numpy()
    is_missing = series.isna().to_numpy()
    held = found[~is_missing]
    if len(held) and all(isinstance(each, bool | np.bool_) for each in held):
        array = np.zeros(len(found), np.bool_)
        array[~is_missing] = held.astype(np.bool_)
        return Values("truth", array, is_missing if is_missing.any() else None)
    return Texts(_strings(series), None)


def _strings(series: pd.Series[Any]) -> pa.Array:
    try:
        found = pa.array(series, from_pandas=True)
        if isinstance(found, pa.ChunkedArray):
            found = found.combine_chunks()
        if not (pa.types.is_null(found.type) or pa.types.is_string(found.type) or pa.types.is_large_string(found.type)):
            raise UnfitError("is a column of several kinds of things", "Name columns whose values are all of a kind")
        return found if found.type == pa.large_string() else found.cast(pa.large_string())
    except (pa.ArrowException, ValueError, TypeError) as err:
        raise UnfitError("is a column of several kinds of things, or of none that is known here") from err


def _truths(found: pa.Array | pa.ChunkedArray) -> NDArray[np.bool_]:
    whole = found.combine_chunks() if isinstance(found, pa.ChunkedArray) else found
    if whole.null_count:
        whole = pc.fill_null(whole, False)
    truths: NDArray[np.bool_] = whole.to_numpy(zero_copy_only=False)
    return truths


def kind_of(value: Value) -> Kind:
    """Of a column or of a single value."""
    if isinstance(value, Values | Texts):
        return value.kind
    if isinstance(value, bool):
        return "truth"
    if isinstance(value, str):
        return "text"
    return "time" if isinstance(value, np.datetime64) else "number"


def time_of(text: str) -> np.datetime64:
    """The time that a text says, UTC.

    Raises:
        UnfitError: It says none, or none that nanoseconds since 1970 reach.
    """
    import pandas as pd  # noqa: PLC0415

    remedy = "Write a time as '2026-05-01' or '2026-05-01 13:30'"
    if not _TIME.match(text):
        raise UnfitError(f"compares a time with {shortened(text)!r}, which is none", remedy)
    if len(text) > _MOST_TIME:
        raise UnfitError(f"compares a time with {shortened(text)!r}, which is too long for one", remedy)
    if _OFFSET_OF_ZONE.search(text):
        raise UnfitError(
            f"compares a time with {text!r}, whose zone means one thing to some and the opposite to others",
            "Write `+02:00` behind the time where clocks are two hours ahead of UTC",
        )
    try:
        found = pd.Timestamp(text)
        utc = found if found.tzinfo is None else found.tz_convert(None)
        time: np.datetime64 = utc.as_unit("ns").to_datetime64()
    except (ValueError, TypeError, ArithmeticError, AttributeError, LookupError) as err:
        raise UnfitError(f"compares a time with {text!r}, which is none between 1678 and 2262", remedy) from err
    if np.isnat(time):
        raise UnfitError(f"compares a time with {text!r}, which is none", remedy)
    return time


def scalar(value: Any) -> Scalar:
    """A single value of NumPy's or pandas' as Python's own; a time as NumPy's."""
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
        plain: Scalar = value.item()
        return plain
    if hasattr(value, "to_datetime64"):
        time: np.datetime64 = value.to_datetime64().astype("datetime64[ns]")
        return time
    single: Scalar = value
    return single
