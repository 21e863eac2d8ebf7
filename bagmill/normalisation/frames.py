"""Sampled frames of a camera → statistics of their pixels, from histograms: exact for the frames that were sampled."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset import HeldFeature
from bagmill.episodes import Episode
from bagmill.normalisation.quantiles import histogram_quantiles
from bagmill.normalisation.statistics import QUANTILES, FeatureStatistics

_CHANNELS: Final = ("red", "green", "blue")
_NO_READING: Final = 0
"""What a depth camera writes where it saw nothing."""


def choose_ticks(num_ticks: Sequence[int], *, num_frames: int, seed: int) -> list[NDArray[np.int64]]:
    """Ticks to sample: of each of `num_frames` equal parts of all episodes' ticks, one at random.

    Args:
        num_ticks: Of every episode, in order.
        num_frames: How many; fewer where two neighbouring parts meet on the same tick, all where there are no more.
        seed: Of the choice.

    Returns:
        For every episode its ticks, rising.
    """
    ends = np.cumsum(np.asarray(num_ticks, np.int64))
    total = int(ends[-1]) if len(ends) else 0
    if num_frames >= total:
        chosen = np.arange(total, dtype=np.int64)
    else:
        parts = np.arange(num_frames) + np.random.default_rng(seed).random(num_frames)
        chosen = np.unique((parts * (total / num_frames)).astype(np.int64).clip(max=total - 1))
    starts = [0, *ends.tolist()]
    bounds = np.searchsorted(chosen, starts).tolist()
    return [chosen[low:high] - start for low, high, start in zip(bounds[:-1], bounds[1:], starts[:-1], strict=True)]


class FrameMeter:
    """Takes in a camera's frames.

    Args:
        held: The camera, as all episodes together have it.
    """

    def __init__(self, held: HeldFeature) -> None:
        self._name = held.name
        self._scale_m = held.scale_m
        self._is_depth = is_depth = held.kind == "depth"
        self._counts = np.zeros((1, 1 << 16) if is_depth else (len(_CHANNELS), 1 << 8), np.int64)
        self._num_frames = 0

    def add(self, episode: Episode, ticks: NDArray[np.int64]) -> None:
        """Take in some of an episode's frames; ticks without one are passed over.

        Raises:
            StorageError: It lacks the feature, or a frame is damaged.
        """
        for tick in ticks.tolist():
            if not episode.has_frame(self._name, tick):
                continue
            pixels = episode.frame(self._name, tick).reshape(-1, len(self._counts))
            for channel, counted in enumerate(self._counts):
                np.add(counted, np.bincount(pixels[:, channel], minlength=len(counted)), out=counted)
            self._num_frames += 1

    def result(self) -> FeatureStatistics:
        """Of all frames that were taken in."""
        counts = self._counts.copy()
        num_left_out = np.zeros(len(counts), np.int64)
        if self._is_depth:
            num_left_out = counts[:, _NO_READING].copy()
            counts[:, _NO_READING] = 0
        count = counts.sum(axis=1)
        levels = np.arange(counts.shape[1], dtype=np.float64)
        mean = _mean_of(levels[None], counts)
        has_none = count == 0
        quantiles = histogram_quantiles(counts, QUANTILES)
        return FeatureStatistics(
            kind="depth" if self._is_depth else "image",
            names=("depth",) if self._is_depth else _CHANNELS,
            unit="",
            scale_m=self._scale_m,
            num_ticks=self._num_frames,
            count=tuple(count.tolist()),
            num_left_out=tuple(num_left_out.tolist()),
            mean=tuple(mean.tolist()),
            std=tuple(np.sqrt(_mean_of((levels - mean[:, None]) ** 2, counts)).tolist()),
            min=tuple(np.where(has_none, np.nan, (counts > 0).argmax(axis=1)).tolist()),
            max=tuple(np.where(has_none, np.nan, levels[-1] - (counts[:, ::-1] > 0).argmax(axis=1)).tolist()),
            quantiles={str(fraction): tuple(row.tolist()) for fraction, row in zip(QUANTILES, quantiles, strict=True)},
        )


def _mean_of(values: NDArray[np.float64], counts: NDArray[np.int64]) -> NDArray[np.float64]:
    """Of each channel's values, weighted by how often they occur, (C,); nan where there is none."""
    total = counts.sum(axis=1)
    mean: NDArray[np.float64] = np.divide(
        (values * counts).sum(axis=1), total, out=np.full(len(counts), np.nan), where=total > 0
    )
    return mean
