"""How two clocks that stamped the same messages run against each other."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

_MAX_BLOCKS = 256
_ENVELOPE_PERCENT = 1.0
"""Not the minimum: one stamp that was set back would lift every latency."""
_MAX_RESIDUAL_NS = 2**61


@dataclass(frozen=True, slots=True)
class ClockEstimate:
    """The log clock as seen from the header clock."""

    num_stamps: int
    """Messages that carry both stamps; the others were left out."""
    span_ns: int
    """From the earliest to the latest header stamp among them: what a drift was measured over."""
    offset_ns: int | None
    """Median of log − header: the difference of the clocks plus the usual latency. None without a stamp."""
    drift_ppm: float | None
    """How much faster the log clock runs, in ns per ms. None with fewer than two different header stamps."""
    latency_p50_ns: int | None
    """Median delay of a message behind the fastest ones, drift taken out: one-way stamps tell no more than that. None
    without a stamp."""
    latency_p99_ns: int | None
    """99th percentile of the same."""


def estimate_clock(header_ns: NDArray[np.int64], log_ns: NDArray[np.int64]) -> ClockEstimate:
    """Offset, drift and latency between header and log stamps of one channel.

    Args:
        header_ns: (N,) int64; 0 and below (`NO_STAMP` among them) mean that there is none.
        log_ns: (N,) int64, likewise.

    Raises:
        ValueError: The two differ in shape.

    Source: drift through the fastest messages of consecutive blocks, for latency only ever adds (V. Paxson, "On
        calibrating measurements of packet transit times", 1998), by the median of pairwise slopes (P. K. Sen,
        "Estimates of the regression coefficient based on Kendall's tau", 1968).
    """
    if header_ns.shape != log_ns.shape or header_ns.ndim != 1:
        raise ValueError(f"stamps of shape {header_ns.shape} and {log_ns.shape} do not belong together")
    has_both = (header_ns > 0) & (log_ns > 0)
    header, log = header_ns[has_both], log_ns[has_both]
    if header.size == 0:
        return ClockEstimate(0, 0, None, None, None, None)
    order = np.argsort(header, kind="stable")
    header, log = header[order], log[order]
    difference = log - header  # both positive: cannot overflow
    offset_ns = _median(difference)
    # Differences of differences can; and beyond 73 years a stamp is an outlier, however far it is.
    low, high = (max(-(2**63), offset_ns - _MAX_RESIDUAL_NS), min(2**63 - 1, offset_ns + _MAX_RESIDUAL_NS))
    residual = (np.clip(difference, low, high) - offset_ns).astype(np.float64)
    elapsed = (header - header[0]).astype(np.float64)
    slope = _slope(elapsed, residual)
    latency = residual - (slope or 0.0) * elapsed
    latency = np.maximum(latency - np.percentile(latency, _ENVELOPE_PERCENT), 0)
    return ClockEstimate(
        num_stamps=int(header.size),
        span_ns=int(header[-1] - header[0]),
        offset_ns=offset_ns,
        drift_ppm=None if slope is None else slope * 1e6,
        latency_p50_ns=round(float(np.percentile(latency, 50))),
        latency_p99_ns=round(float(np.percentile(latency, 99))),
    )


def _median(values: NDArray[np.int64]) -> int:
    """Exact where float64, which np.median goes through, would round an epoch's worth of nanoseconds to 256."""
    middle = (values.size - 1) // 2, values.size // 2
    lower, upper = np.partition(values, middle)[list(middle)].tolist()
    return int(lower + upper) // 2


def _slope(x: NDArray[np.float64], y: NDArray[np.float64]) -> float | None:
    """Median slope between the lowest points of up to 256 blocks along x, which must be rising."""
    starts = np.unique(np.linspace(0, x.size, min(x.size, _MAX_BLOCKS), endpoint=False).astype(np.int64))
    lowest = np.array(
        [start + np.argmin(y[start:end]) for start, end in zip(starts, [*starts[1:], x.size], strict=True)]
    )
    first, second = np.triu_indices(lowest.size, k=1)
    run = x[lowest][second] - x[lowest][first]
    rise = y[lowest][second] - y[lowest][first]
    is_apart = run > 0
    return float(np.median(rise[is_apart] / run[is_apart])) if is_apart.any() else None
