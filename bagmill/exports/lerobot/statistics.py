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
"""`min`, `max`, `mean`, `std`, `q01` … `q99` of a feature, of one shape each, and `count`, (1,); of a signal `num_finite`,
(D,), which LeRobot has not.
"""

_QUANTILES: Final = {"q01": 0.01, "q10": 0.10, "q50": 0.50, "q90": 0.90, "q99": 0.99}
_NUM_FINITE: Final = "num_finite"
_THIN_ABOVE: Final = 300
"""Pixels of a picture's longer side; a larger one is thinned to about `_THIN_TO`, as LeRobot does."""
_THIN_TO: Final = 150


def value_statistics(values: NDArray[np.generic]) -> Statistics:
    """Of a signal in one episode.

    Args:
        values: (T, D), T at least 1; numbers that are not finite are left out, each by itself.

    Returns:
        Arrays (D,); of a column without a finite number zeros, because LeRobot reads no nan.
    """
    numbers = values.astype(np.float64)
    is_finite = np.isfinite(numbers)
    num_finite = is_finite.sum(axis=0)
    kept = numbers if is_finite.all() else np.where(is_finite, numbers, np.nan)
    kept = np.where(num_finite > 0, kept, 0.0)
    quantiles = np.nanquantile(kept, list(_QUANTILES.values()), axis=0)
    return {
        "min": np.nanmin(kept, axis=0),
        "max": np.nanmax(kept, axis=0),
        "mean": np.nanmean(kept, axis=0),
        "std": np.nanstd(kept, axis=0),
        "count": np.array([len(numbers)], np.float64),
        _NUM_FINITE: num_finite.astype(np.float64),
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
    num_axes = episodes[0]["mean"].ndim
    counts = np.stack([each.get(_NUM_FINITE, each["count"].reshape((1,) * num_axes)) for each in episodes])
    # (E, D): an episode in which a column has no finite number says nothing of it.
    weights = counts / np.maximum(counts.sum(axis=0), 1)

    def weighted(values: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        total: NDArray[np.float64] = (weights * np.stack(values)).sum(axis=0)
        return total

    def outermost(name: str, choose: np.ufunc, other: float) -> NDArray[np.float64]:
        told = np.where(counts > 0, np.stack([each[name] for each in episodes]), other)
        found = choose.reduce(told, axis=0)
        return np.where(np.isfinite(found), found, 0.0)

    mean = weighted([each["mean"] for each in episodes])
    variance = weighted([each["std"] ** 2 + (each["mean"] - mean) ** 2 for each in episodes])
    return {
        "min": outermost("min", np.minimum, np.inf),
        "max": outermost("max", np.maximum, -np.inf),
        "mean": mean,
        "std": np.sqrt(variance),
        "count": np.sum([each["count"] for each in episodes], axis=0),
        **{name: weighted([each[name] for each in episodes]) for name in _QUANTILES},
    }


def plain_statistics(statistics: Statistics) -> dict[str, list[object]]:
    """As JSON and Parquet hold them: lists, `count` of whole numbers."""
    return {
        name: (values.astype(int) if name == "count" else values).tolist()
        for name, values in statistics.items()
        if name != _NUM_FINITE
    }
