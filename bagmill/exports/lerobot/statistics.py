"""The statistics that LeRobot keeps of every episode and of the whole: min, max, mean, std, count and quantiles.

Source: `lerobot.datasets.compute_stats` of LeRobot 0.4.4. Of an episode they are exact here, where LeRobot has quantiles
from histograms and pictures from a sample of frames. Over all episodes they are aggregated as LeRobot does it: quantiles are
the mean of the episodes' own, weighted by their ticks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Statistics = Mapping[str, NDArray[np.float64]]
"""`min`, `max`, `mean`, `std`, `q01` … `q99` of a feature, of one shape each, and `count`, (1,)."""

_QUANTILES: Final = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_THIN_ABOVE: Final = 300
"""Pixels of a picture's longer side; a larger one is thinned to about `_THIN_TO`, as LeRobot does."""
_THIN_TO: Final = 150


def value_statistics(values: NDArray[np.generic]) -> Statistics:
    """Of a signal in one episode.

    Args:
        values: (T, D), T at least 1; ticks with a number that is not finite are left out.

    Returns:
        Arrays (D,).
    """
    numbers = values.astype(np.float64)
    finite = numbers[np.isfinite(numbers).all(axis=1)]
    if not len(finite):
        finite = np.zeros((1, numbers.shape[1]))
    quantiles = np.quantile(finite, list(_QUANTILES.values()), axis=0)
    return {
        "min": finite.min(axis=0),
        "max": finite.max(axis=0),
        "mean": finite.mean(axis=0),
        "std": finite.std(axis=0),
        "count": np.array([len(finite)], np.float64),
        **dict(zip(_QUANTILES, quantiles, strict=True)),
    }


def picture_histogram(rgb: NDArray[np.uint8]) -> NDArray[np.int64]:
    """How often every value is among a picture's pixels, (3, 256); of a large picture every few pixels.

    Args:
        rgb: (H, W, 3).
    """
    longer = max(rgb.shape[:2])
    step = longer // _THIN_TO if longer >= _THIN_ABOVE else 1
    thinned = rgb[::step, ::step]
    return np.stack([np.bincount(thinned[..., channel].reshape(-1), minlength=256) for channel in range(3)])


def histogram_statistics(histogram: NDArray[np.int64], *, num_pictures: int) -> Statistics:
    """Of a camera in one episode, from the sum of its pictures' histograms.

    Args:
        histogram: (3, 256).
        num_pictures: At least 1.

    Returns:
        Arrays (3, 1, 1), in 0 to 1.
    """
    levels = np.arange(256) / 255
    shares = histogram / histogram.sum(axis=1, keepdims=True)
    cumulated = np.cumsum(shares, axis=1)
    mean = shares @ levels
    variance = np.maximum(shares @ levels**2 - mean**2, 0)
    found = {
        "min": levels[np.argmax(histogram > 0, axis=1)],
        "max": levels[255 - np.argmax(histogram[:, ::-1] > 0, axis=1)],
        "mean": mean,
        "std": np.sqrt(variance),
        # The least level with this share at or below it; a hair less, for shares are sums of rounded numbers.
        **{name: levels[np.argmax(cumulated >= share - 1e-12, axis=1)] for name, share in _QUANTILES.items()},
    }
    return {name: values.reshape(3, 1, 1) for name, values in found.items()} | {
        "count": np.array([num_pictures], np.float64)
    }


def aggregate(episodes: Sequence[Statistics]) -> Statistics:
    """Of all episodes together.

    Args:
        episodes: Of one feature, at least one.
    """
    weights = np.array([each["count"][0] for each in episodes])
    weights /= weights.sum()

    def weighted(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        total: NDArray[np.float64] = np.tensordot(weights, np.stack(values), axes=1)
        return total

    mean = weighted([each["mean"] for each in episodes])
    variance = weighted([each["std"] ** 2 + (each["mean"] - mean) ** 2 for each in episodes])
    return {
        "min": np.min([each["min"] for each in episodes], axis=0),
        "max": np.max([each["max"] for each in episodes], axis=0),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": np.sum([each["count"] for each in episodes], axis=0),
        **{name: weighted([each[name] for each in episodes]) for name in _QUANTILES},
    }


def plain_statistics(statistics: Statistics) -> dict[str, list[object]]:
    """As JSON and Parquet hold them: lists, `count` of whole numbers."""
    return {name: (values.astype(int) if name == "count" else values).tolist() for name, values in statistics.items()}
