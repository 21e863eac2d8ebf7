"""Count, mean, deviation and range of values that come in pieces, each piece seen once.

Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance", the pairwise update: sums of squared
distances from each piece's own mean are put together, so that nothing is lost where the mean is large beside the deviation.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


class Moments:
    """Of D dimensions by themselves; what is not finite is left out and counted.

    Args:
        width: D.
    """

    def __init__(self, width: int) -> None:
        self.count = np.zeros(width, np.int64)
        self.num_left_out = np.zeros(width, np.int64)
        self.min = np.full(width, np.inf)
        self.max = np.full(width, -np.inf)
        self._mean = np.zeros(width)
        self._squares = np.zeros(width)
        """Sum of squared distances from the mean."""

    def add(self, values: NDArray[np.floating[Any]], *, places: NDArray[np.intp] | None = None) -> None:
        """Take in a piece.

        Args:
            values: (N, d) float.
            places: (d,) which dimension each of them is; None: the first ones.
        """
        at = np.arange(values.shape[1]) if places is None else places
        exact = values.astype(np.float64)
        is_finite = np.isfinite(exact)
        num = is_finite.sum(axis=0)
        exact[~is_finite] = 0.0
        mean = exact.sum(axis=0) / np.maximum(num, 1)
        # Of values near the end of float64's range the squares are infinite, and so is the deviation.
        with np.errstate(over="ignore"):
            squares = (np.where(is_finite, exact - mean, 0.0) ** 2).sum(axis=0)
        before, now = self.count[at], self.count[at] + num
        distance = mean - self._mean[at]
        share = num / np.maximum(now, 1)
        self._mean[at] += distance * share
        self._squares[at] += squares + distance**2 * before * share
        self.count[at] = now
        self.num_left_out[at] += len(values) - num
        if len(values):
            low, high = np.where(is_finite, exact, np.inf), np.where(is_finite, exact, -np.inf)
            self.min[at] = np.minimum(self.min[at], low.min(axis=0))
            self.max[at] = np.maximum(self.max[at], high.max(axis=0))

    @property
    def mean(self) -> NDArray[np.float64]:
        """(D,) nan where there is no value."""
        return np.where(self.count > 0, self._mean, np.nan)

    @property
    def std(self) -> NDArray[np.float64]:
        """(D,) nan where there is no value."""
        return np.where(self.count > 0, np.sqrt(self._squares / np.maximum(self.count, 1)), np.nan)
