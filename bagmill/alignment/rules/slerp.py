"""On the great arc between two orientations: for quaternions."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.neighbours import fed_by_two
from bagmill.alignment.timeline import AlignedFeature

_NEARLY_PARALLEL_RAD = 1e-6


@dataclass(frozen=True, slots=True)
class Slerp:
    """Every four numbers, a quaternion, turned at constant speed from the message before the tick to the one after it.

    The quaternion's order does not matter (x, y, z, w or w, x, y, z); the shorter of the two ways is taken, and what
    is made has length 1. A quaternion of length 0 or with a number that is not finite is no orientation: what would
    be made from it is nan. A message exactly on its tick is left as it was recorded.

    Source: K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985, section 3.3.
    """

    name: str = "slerp"
    is_interpolating: bool = True
    group_size: int = 4

    def select(self, stamps_ns: NDArray[np.int64], ticks_ns: NDArray[np.int64], *, tolerance_ns: int) -> AlignedFeature:
        """See `Rule.select`."""
        return fed_by_two(stamps_ns, ticks_ns, tolerance_ns=tolerance_ns)

    def combine(
        self, before: NDArray[np.float64], after: NDArray[np.float64], weight: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """See `Rule.combine`; D is a multiple of 4."""
        share = weight[:, np.newaxis, np.newaxis]
        grouped = (len(before), before.shape[1] // 4, 4)
        with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
            start = _unit(before.reshape(grouped))
            end = _unit(after.reshape(grouped))
            # q and −q are one orientation: of its two signs, the one on this side of the sphere.
            end = np.where(np.sum(start * end, axis=-1, keepdims=True) < 0, -end, end)
            # The arc cosine of the dot product loses half its digits where the two are close; this does not.
            angle = 2 * np.arctan2(_length(end - start), _length(end + start))
            is_close = angle < _NEARLY_PARALLEL_RAD
            sine = np.where(is_close, 1.0, np.sin(angle))
            from_start = np.where(is_close, 1 - share, np.sin((1 - share) * angle) / sine)
            from_end = np.where(is_close, share, np.sin(share * angle) / sine)
            between = _unit(from_start * start + from_end * end).reshape(before.shape)
        return np.where(weight[:, np.newaxis] == 0, before, between)


def _length(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.asarray(np.sqrt(np.sum(np.square(quaternions), axis=-1, keepdims=True)))


def _unit(quaternions: NDArray[np.float64]) -> NDArray[np.float64]:
    """Quaternions (…, 4) of length 1; nan where the length is 0."""
    return np.asarray(quaternions / _length(quaternions))
