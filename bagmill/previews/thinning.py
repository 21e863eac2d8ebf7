"""Values over time, thinned to what a small plot can show."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

MAX_BUCKETS: Final = 300
"""Places along the time axis: as many as a plot of 640 pixels can tell apart."""


def seconds_of(time_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Ticks (T,) as seconds since the first."""
    return (time_ns - time_ns[0]) / 1e9 if len(time_ns) else np.empty(0)


def thinned(
    seconds: NDArray[np.float64], values: NDArray[np.float64], *, max_buckets: int = MAX_BUCKETS
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most twice `max_buckets` points: the lowest and the highest of each bucket; nan only where all of it is."""
    num_buckets = min(len(values), max_buckets)
    if len(values) <= 2 * num_buckets:
        return seconds, values
    edges = np.linspace(0, len(values), num_buckets, endpoint=False).astype(np.intp)
    # fmin and fmax pass over nan
    lowest, highest = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
    return np.repeat(seconds[edges], 2), np.stack([lowest, highest], axis=1).reshape(-1)


def bucket_starts(mask: NDArray[np.bool_], *, max_buckets: int = MAX_BUCKETS) -> NDArray[np.intp]:
    """Positions of True, thinned to one in each bucket that has any."""
    positions = np.flatnonzero(mask)
    if len(positions) <= max_buckets:
        return positions
    _, first = np.unique(positions * max_buckets // len(mask), return_index=True)
    return positions[first]
