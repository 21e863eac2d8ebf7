"""Signals of a batch brought to one scale, by statistics of the snapshots they come from, and back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.errors import TrainingError
from bagmill.normalisation import FeatureStatistics, Normalisation
from bagmill.training.columns import MASK, ArraySpec
from bagmill.training.mixture import SOURCE

Method = Literal["standard", "range"]

_LOW, _HIGH = "0.01", "0.99"
_LEAST_SPREAD: Final = 1e-8
"""Of a dimension: what varies by less is only moved, as that of a joint that never moves."""


class SignalScaling:
    """(value − offset) · factor, for each dimension of each signal.

    `standard` makes the mean 0 and the standard deviation 1; `range` makes the 1 % quantile −1 and the 99 % quantile 1.
    Signals without statistics, and dimensions that a mixture's source does not have, stay as they are. Nothing else of a
    batch is changed: pictures are scaled where the model runs, from bytes.

    Args:
        spec: Of the dataset or the mixture.
        statistics: Of the dataset's snapshot; for a mixture, of each of its sources' in their order.
        method: `standard` or `range`.

    Raises:
        TrainingError: Statistics of other dimensions than the signal has, or no way of that name.
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
        self._offsets: dict[str, NDArray[np.float64]] = {}
        """Signal → (S, D), by source; so are the factors."""
        self._factors: dict[str, NDArray[np.float64]] = {}
        for key, array in spec.items():
            found = [source.features.get(key) for source in sources]
            if f"{MASK}/{key}" not in spec or not any(each is not None and each.kind == "signal" for each in found):
                continue
            num_dims = array.shape[-1]
            rows = [_row(key, each, num_dims=num_dims, method=method) for each in found]
            self._offsets[key] = np.stack([offset for offset, _ in rows])
            self._factors[key] = np.stack([factor for _, factor in rows])

    def apply(self, batch: Mapping[str, NDArray[Any]]) -> None:
        """Scale a batch's signals (N, [K,] D) in place."""
        for key in self._offsets.keys() & batch.keys():
            offset, factor = self._of(key, batch[key], batch.get(SOURCE, 0))
            np.subtract(batch[key], offset, out=batch[key], casting="same_kind")
            np.multiply(batch[key], factor, out=batch[key], casting="same_kind")

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
        shape = (len(rows), *[1] * (values.ndim - 2), values.shape[-1])
        return self._offsets[key][rows].reshape(shape), self._factors[key][rows].reshape(shape)


def _row(
    key: str, statistics: FeatureStatistics | None, *, num_dims: int, method: Method
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Offsets (D,) and factors (D,) of one source's signal."""
    offset, factor = np.zeros(num_dims), np.ones(num_dims)
    if statistics is None:
        return offset, factor
    if len(statistics.mean) > num_dims:
        raise TrainingError(f"statistics of {key} have {len(statistics.mean)} dimensions, its values {num_dims}")
    own = slice(len(statistics.mean))
    if method == "standard":
        centre, half = np.array(statistics.mean), np.array(statistics.std)
    else:
        low, high = np.array(statistics.quantiles[_LOW]), np.array(statistics.quantiles[_HIGH])
        centre, half = (low + high) / 2, (high - low) / 2
    # nan where nothing was counted: False here.
    offset[own] = np.where(np.isfinite(centre), centre, 0.0)
    factor[own] = np.divide(1.0, half, out=np.ones_like(half), where=half > _LEAST_SPREAD)
    return offset, factor
