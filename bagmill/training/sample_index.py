"""Which sample is which tick of which episode."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bagmill.errors import TrainingError
from bagmill.training.window import Window


class SampleIndex:
    """Samples of several episodes one behind the other, each the ticks that it takes of every feature.

    Args:
        num_ticks: int64 (E,), of every episode.
        rate_hz: float64 (E,), of every episode.
        windows: Feature → its window; a feature without one takes the sample's own tick.
        is_dropping: Leave out the samples whose windows reach beyond their episode.

    Raises:
        TrainingError: A window in seconds that does not fit an episode's rate.
    """

    def __init__(
        self,
        num_ticks: NDArray[np.int64],
        rate_hz: NDArray[np.float64],
        windows: Mapping[str, Window],
        *,
        is_dropping: bool,
    ) -> None:
        self.num_ticks = num_ticks
        rates, self._rate_of = np.unique(rate_hz, return_inverse=True)
        self._offsets = {
            name: np.stack([window.offsets(float(rate)) for rate in rates])
            for name, window in windows.items()
            if len(rates)
        }
        """Feature → (number of rates, K)."""
        margins = np.zeros((2, len(num_ticks)), np.int64)
        if is_dropping:
            for offsets in self._offsets.values():
                margins[0] = np.maximum(margins[0], -offsets.min(axis=1)[self._rate_of])
                margins[1] = np.maximum(margins[1], offsets.max(axis=1)[self._rate_of])
        self._first_tick = margins[0]
        counts = np.maximum(num_ticks - margins.sum(axis=0), 0)
        self._ends = np.cumsum(counts)
        self._starts = self._ends - counts

    def __len__(self) -> int:
        return int(self._ends[-1]) if len(self._ends) else 0

    def locate(self, samples: ArrayLike) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Episodes (N,) and ticks (N,) of samples (N,).

        Raises:
            TrainingError: There is no such sample.
        """
        wanted = np.asarray(samples, np.int64).reshape(-1)
        if len(wanted) and not (wanted.min() >= 0 and wanted.max() < len(self)):
            wrong = next(int(each) for each in wanted if not 0 <= each < len(self))
            raise TrainingError(f"there is no sample {wrong}: there are {len(self)}")
        episodes = np.searchsorted(self._ends, wanted, side="right")
        return episodes, wanted - self._starts[episodes] + self._first_tick[episodes]

    def ticks(
        self, name: str, episodes: NDArray[np.int64], ticks: NDArray[np.int64]
    ) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """The ticks that samples take of a feature.

        Args:
            name: The feature.
            episodes: (N,)
            ticks: (N,)

        Returns:
            (N, K) ticks, or (N,) where the feature has no window, those outside the episode moved to its first or last
            one; and which of them were inside.
        """
        offsets = self._offsets.get(name)
        last = self.num_ticks[episodes] - 1
        if offsets is None:
            return ticks, np.ones(len(ticks), np.bool_)
        wanted = ticks[:, None] + offsets[self._rate_of[episodes]]
        inside = np.clip(wanted, 0, last[:, None])
        return inside, inside == wanted
