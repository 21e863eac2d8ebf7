"""When a robot's sensors fire and when the recorder hears of it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def firing_ns(
    start_ns: int,
    rng: np.random.Generator,
    *,
    rate_hz: float,
    num_messages: int,
    jitter_ms: float,
    drift_ppm: float = 0.0,
) -> NDArray[np.int64]:
    """Header stamps of a sensor that runs at a fixed rate.

    Args:
        start_ns: Of the first, ns since the Unix epoch, before its jitter.
        rng: Where the jitter comes from.
        rate_hz: As the sensor's own clock counts.
        num_messages: N.
        jitter_ms: Standard deviation; nothing is further off than three of it.
        drift_ppm: How much slower the sensor's clock is.

    Returns:
        int64 (N,), ns, rising as long as the jitter is well below the period.
    """
    elapsed_s = np.arange(num_messages) / rate_hz * (1 + drift_ppm * 1e-6)
    jitter_s = np.clip(rng.normal(0, jitter_ms, num_messages), -3 * jitter_ms, 3 * jitter_ms) / 1e3
    return start_ns + np.rint((elapsed_s + jitter_s) * 1e9).astype(np.int64)


def received_ns(
    header_ns: NDArray[np.int64], rng: np.random.Generator, *, least_ms: float, spread_ms: float
) -> NDArray[np.int64]:
    """Log times: every message takes a least time and now and then a good deal more; none overtakes another.

    Args:
        header_ns: (N,), rising.
        rng: Where the delays come from.
        least_ms: Exposure, readout, transport.
        spread_ms: Mean of what comes on top.
    """
    delay_ms = least_ms + rng.gamma(2.0, spread_ms / 2, len(header_ns))
    log_ns = np.maximum.accumulate(header_ns + np.rint(delay_ms * 1e6).astype(np.int64))
    return np.asarray(log_ns, dtype=np.int64)
