"""Signals of a batch brought to one scale, by statistics of the snapshots they come from, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.errors import TrainingError
from bagmill.normalisation import FeatureStatistics, Normalisation
from bagmill.training.columns import MASK, ArraySpec
from bagmill.training.matched_statistics import match_statistics
from bagmill.training.mixture import DIMS, SOURCE

Method = Literal["standard", "range"]

_LOW, _HIGH = "0.01", "0.99"
_LEAST_SPREAD: Final = 1e-8
"""Of a dimension: what varies by less is only moved, as that of a joint that never moves."""


class SignalScaling:
    """(value − offset) · factor, for each dimension of each signal.

    `standard` makes the mean 0 and the standard deviation 1; `range` makes the 1 % quantile −1 and the 99 % quantile 1.
    Statistics are matched to a signal's columns by their names, or by place where there are none. Signals without statistics
    stay as they are, and so do zeros where nothing was measured. Nothing else of a batch is changed: pictures are scaled
    where the model runs, from bytes.

    Args:
        spec: Of the dataset or the mixture.
        statistics: Of the dataset's snapshot; for a mixture, of each of its sources' in their order.
        method: `standard` or `range`.

    Raises:
        TrainingError: Statistics of other columns or in other units than the signal has, or no way of that name.
    """

    def __init__(
        self,
        spec: Mapping[str, ArraySpec],
        statistics: Normalisation | Sequence[Normalisation],
        *,
        method: Method = "standard",
    ) -> None:
        if method not in ("standard", "range"):
            raise TrainingError(f"no scaling is called {method!r}", remedy="It is standard or range")
        sources = [statistics] if isinstance(statistics, Normalisation) else list(statistics)
        self.num_sources = len(sources)
        """1, or those of the mixture."""
        self._offsets: dict[str, NDArray[np.float64]] = {}
        """Signal → (S, D), by source; so are the factors."""
        self._factors: dict[str, NDArray[np.float64]] = {}
        self._is_known: dict[str, NDArray[np.bool_]] = {}
        """Signal → (S, D), by source: whether there are statistics of a column, as far as there are any of the signal."""
        for key, array in spec.items():
            found = [source.features.get(key) for source in sources]
            if f"{MASK}/{key}" not in spec or not any(each is not None and each.kind == "signal" for each in found):
                continue
            rows = [_row(key, each, array, method=method, is_of_source=SOURCE in spec) for each in found]
            self._offsets[key] = np.stack([offset for offset, _, _ in rows])
            self._factors[key] = np.stack([factor for _, factor, _ in rows])
            self._is_known[key] = np.stack([is_known for _, _, is_known in rows])

    @property
    def signals(self) -> frozenset[str]:
        """Those that are scaled."""
        return frozenset(self._offsets)

    def apply(
        self, batch: Mapping[str, NDArray[Any]], *, is_filled: Mapping[str, NDArray[np.bool_]] | None = None
    ) -> None:
        """Scale a batch's signals (N, [K,] D) in place, in doubles that are rounded once.

        Zeros where nothing was are zeros afterwards: a tick that is not valid, a place beyond the episode under
        `padding="zero"`, a feature or a dimension that a mixture's source does not have.

        Args:
            batch: With the masks, and `source` and `dims/…` where it is a mixture's.
            is_filled: Where those zeros are, as `batch(…, is_filled=…)` of the dataset wrote it. None: where the mask is
                False and all numbers are 0; under `padding="edge"`, a first or last tick of nothing but zeros, repeated
                beyond the episode, is then taken for one of them.

        Raises:
            TrainingError: The batch has a source that there are no statistics of, or a source has a column that its
                statistics are not of.
        """
        for key in self._offsets.keys() & batch.keys():
            values = batch[key]
            is_nothing = _is_nothing(key, batch) if is_filled is None else is_filled.get(key)
            offset, factor = self._of(key, values, batch.get(SOURCE, 0))
            if SOURCE in batch and f"{DIMS}{key}" in batch:
                self._check_columns(key, batch[SOURCE], batch[f"{DIMS}{key}"])
            scaled = (values - offset) * factor
            if is_nothing is not None:
                scaled[is_nothing] = 0
            if DIMS + key in batch:
                has_dims = batch[DIMS + key]
                scaled *= has_dims.reshape(len(has_dims), *[1] * (values.ndim - 2), -1)
            np.copyto(values, scaled, casting="same_kind")

    def _check_columns(self, key: str, sources: NDArray[Any], has_column: NDArray[np.bool_]) -> None:
        is_lacking = has_column & ~self._is_known[key][sources]
        if is_lacking.any():
            row, column = (int(each[0]) for each in np.nonzero(is_lacking))
            raise TrainingError(
                f"source {sources[row]} of the mixture has column {column} of {key}, which its statistics are not of",
                remedy="Give the statistics of each source's own snapshot, in the order of the sources",
            )

    def restore(self, key: str, values: ArrayLike, *, source: ArrayLike = 0) -> NDArray[np.floating[Any]]:
        """Values in the signal's own units, such as a policy's actions.

        Args:
            key: The signal.
            values: (N, [K,] D), scaled.
            source: Of a mixture, that each is of: (N,), or one for all.

        Raises:
            TrainingError: The signal was not scaled.
        """
        if key not in self._offsets:
            known = ", ".join(self._offsets) or "none"
            raise TrainingError(f"{key} is not scaled", remedy=f"Scaled are {known}")
        scaled: NDArray[np.floating[Any]] = np.asarray(values)
        offset, factor = self._of(key, scaled, source)
        return scaled / factor + offset

    def _of(self, key: str, values: NDArray[Any], source: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        rows = np.broadcast_to(np.asarray(source), values.shape[:1])
        if rows.size and not 0 <= rows.min() <= rows.max() < self.num_sources:
            raise TrainingError(
                f"{key} is of source {rows.max()}, and there are statistics of {self.num_sources}",
                remedy="Give the statistics of every source of the mixture, in its order",
            )
        shape = (len(rows), *[1] * (values.ndim - 2), values.shape[-1])
        return self._offsets[key][rows].reshape(shape), self._factors[key][rows].reshape(shape)


def _is_nothing(key: str, batch: Mapping[str, NDArray[Any]]) -> NDArray[np.bool_] | None:
    mask: NDArray[np.bool_] | None = batch.get(f"{MASK}/{key}")
    return None if mask is None else ~mask & ~batch[key].any(axis=-1)


def _row(
    key: str, statistics: FeatureStatistics | None, array: ArraySpec, *, method: Method, is_of_source: bool
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Offsets (D,) and factors (D,) of one source's signal, and whether they are known of a column (D,)."""
    width = array.shape[-1]
    offset, factor = np.zeros(width), np.ones(width)
    if statistics is None:
        return offset, factor, np.ones(width, np.bool_)
    matched = match_statistics(key, array, statistics, is_of_source=is_of_source)
    if method == "standard":
        centre, half = matched.spread(statistics.mean, width), matched.spread(statistics.std, width)
    else:
        low = matched.spread(statistics.quantiles[_LOW], width)
        high = matched.spread(statistics.quantiles[_HIGH], width)
        centre, half = (low + high) / 2, (high - low) / 2
    # nan where nothing was counted: False here.
    offset = np.where(np.isfinite(centre), centre, 0.0)
    factor = np.divide(1.0, half, out=factor, where=half > _LEAST_SPREAD)
    is_known = np.zeros(width, np.bool_)
    is_known[matched.columns] = True
    return offset, factor, is_known
