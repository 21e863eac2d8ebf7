"""Exact quantiles of more values than memory holds: a few passes over them, each of which fixes some of the answer's bits.

A float's bits, with the sign's turned about, order as the float does. The first pass counts the values by their topmost
bits, which tells in which of the counted ranges each wanted value lies; the next pass counts what is in those ranges by the
following bits, and so on, until all bits are known: three passes for float32, six for float64. Memory: the counts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Blocks = Callable[[], Iterable[NDArray[np.floating[Any]]]]
"""Gives all values anew at every call, in blocks (n, D) of one dtype, float32 or float64."""

_DIGIT_BITS: Final = 11
_NUM_DIGITS: Final = 1 << _DIGIT_BITS


def exact_quantiles(
    blocks: Blocks, fractions: Sequence[float], *, dtype: np.dtype[Any], count: NDArray[np.int64]
) -> NDArray[np.float64]:
    """Quantiles of each dimension; what is not finite is left out.

    Args:
        blocks: The values.
        fractions: From 0 to 1.
        dtype: Of the values.
        count: (D,) how many finite values each dimension has.

    Returns:
        (len(fractions), D) float64, as `numpy.quantile` of the same values taken as float64; nan where there is none.
    """
    lower, upper, part = _places(fractions, count)
    found = _find_ranked(blocks, np.concatenate([lower, upper]), dtype=dtype, count=count)
    return _between(found[: len(lower)], found[len(lower) :], part, count)


def histogram_quantiles(counts: NDArray[np.int64], fractions: Sequence[float]) -> NDArray[np.float64]:
    """Quantiles of whole numbers that were counted.

    Args:
        counts: (C, V) of each channel by itself: how often the values 0 to V - 1 occur.
        fractions: From 0 to 1.

    Returns:
        (len(fractions), C) float64, as of `exact_quantiles`.
    """
    count = counts.sum(axis=1)
    lower, upper, part = _places(fractions, count)
    ends = np.cumsum(counts, axis=1)

    def values_at(ranks: NDArray[np.int64]) -> NDArray[np.float64]:
        columns = [np.searchsorted(each, column, side="right") for each, column in zip(ends, ranks.T, strict=True)]
        return np.stack(columns, axis=1).astype(np.float64)

    return _between(values_at(lower), values_at(upper), part, count)


def _places(
    fractions: Sequence[float], count: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Ranks of the values on both sides of each quantile, and how far it is from the lower to the upper; all (F, D)."""
    last = np.maximum(count - 1, 0)
    places = last * np.asarray(fractions, np.float64)[:, None]
    lower = np.floor(places).astype(np.int64)
    return lower, np.minimum(lower + 1, last), places - lower


def _between(
    below: NDArray[np.float64], above: NDArray[np.float64], part: NDArray[np.float64], count: NDArray[np.int64]
) -> NDArray[np.float64]:
    # From the nearer side, as NumPy does: no rounding error where the two are the same.
    between = np.where(part < 0.5, below + (above - below) * part, above - (above - below) * (1 - part))
    return np.where(count > 0, between, np.nan)


def _find_ranked(
    blocks: Blocks, ranks: NDArray[np.int64], *, dtype: np.dtype[Any], count: NDArray[np.int64]
) -> NDArray[np.float64]:
    """The values at some places of the sorted order, (R, D) as `ranks`."""
    num_bits = dtype.itemsize * 8
    prefixes = np.zeros(ranks.shape, np.uint64)
    left = ranks.copy()
    known = 0
    while known < num_bits:
        num_new = min(_DIGIT_BITS, num_bits - known)
        counts = _count_digits(blocks, prefixes, known=known, num_new=num_new, num_bits=num_bits)
        for dimension in np.flatnonzero(count):
            for row, prefix in enumerate(prefixes[:, dimension]):
                ends = np.cumsum(counts[dimension][int(prefix)])
                digit = int(np.searchsorted(ends, left[row, dimension], side="right"))
                left[row, dimension] -= ends[digit - 1] if digit else 0
                prefixes[row, dimension] = (int(prefix) << num_new) | digit
        known += num_new
    return _floats(prefixes, dtype)


def _count_digits(
    blocks: Blocks, prefixes: NDArray[np.uint64], *, known: int, num_new: int, num_bits: int
) -> list[dict[int, NDArray[np.int64]]]:
    """Per dimension: how often each value of the next bits stands behind each of the prefixes that are known."""
    counts = [{int(each): np.zeros(_NUM_DIGITS, np.int64) for each in column} for column in prefixes.T]
    shift = num_bits - known - num_new
    for block in blocks():
        keys, is_finite = _keys(block), np.isfinite(block)
        for dimension, of_prefix in enumerate(counts):
            column = keys[is_finite[:, dimension], dimension]
            digits = ((column >> shift) & ((1 << num_new) - 1)).astype(np.int64)
            heads = column >> (shift + num_new) if known else None
            for prefix, counted in of_prefix.items():
                found = np.bincount(digits if heads is None else digits[heads == prefix], minlength=_NUM_DIGITS)
                np.add(counted, found, out=counted)
    return counts


def _keys(values: NDArray[np.floating[Any]]) -> NDArray[np.unsignedinteger[Any]]:
    """Whole numbers that order as floats do: the sign bit of positive ones set, all bits of negative ones turned about."""
    bits, sign = _bits(values)
    keys: NDArray[np.unsignedinteger[Any]] = np.where(bits & sign, ~bits, bits | sign)
    return keys


def _bits(values: NDArray[Any]) -> tuple[Any, Any]:
    """The bits of numbers of 32 or 64 bits as whole numbers, and the topmost one of them by itself."""
    kind: Any = np.uint32 if values.dtype.itemsize == 4 else np.uint64
    return np.ascontiguousarray(values).view(kind), kind(1 << (8 * values.dtype.itemsize - 1))


def _floats(keys: NDArray[np.uint64], dtype: np.dtype[Any]) -> NDArray[np.float64]:
    """The other way round."""
    narrow, sign = _bits(keys.astype(np.dtype(f"u{dtype.itemsize}")))
    bits = np.where(narrow & sign, narrow ^ sign, ~narrow)
    values: NDArray[np.float64] = bits.view(dtype).astype(np.float64)
    return values
