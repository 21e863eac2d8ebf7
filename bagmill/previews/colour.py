"""Depth as colours: near is red, far is blue, no measurement is black."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

_PALETTE = "turbo"
_DARKEST = 0.08
"""Where on the palette `far` lies: its very end is so dark that it would pass for black."""
_LOW_PERCENT, _HIGH_PERCENT = 2.0, 98.0
_MAX_SAMPLES = 20_000
"""Of one frame: enough for percentiles that are for the eye."""


def depth_range(frames: Iterable[NDArray[np.uint16]]) -> tuple[int, int]:
    """The range that most of some frames' measurements lie in.

    Args:
        frames: (H, W) uint16 each; 0 is no measurement.

    Returns:
        (near, far) in counts, near < far; (0, 1) where nothing was measured.
    """
    measured = [values[values > 0] for values in map(_thinned, frames)]
    values = np.concatenate(measured) if measured else np.empty(0, np.uint16)
    if not len(values):
        return 0, 1
    near, far = np.percentile(values, (_LOW_PERCENT, _HIGH_PERCENT)).round().astype(int).tolist()
    return near, max(far, near + 1)


def colour_depth(depth: NDArray[np.uint16], *, near: int, far: int) -> NDArray[np.uint8]:
    """Colour a depth frame.

    Args:
        depth: (H, W) uint16.
        near: Counts that are coloured as nearest, and all below.
        far: Counts that are coloured as farthest, and all above.

    Returns:
        (H, W, 3) uint8 RGB; black where depth is 0.
    """
    return _table(near, far).take(depth, axis=0)


def _thinned(frame: NDArray[np.uint16]) -> NDArray[np.uint16]:
    values = frame.reshape(-1)
    return values[:: -(-len(values) // _MAX_SAMPLES) or 1]


@lru_cache(maxsize=16)
def _table(near: int, far: int) -> NDArray[np.uint8]:
    """A colour for each of the 65,536 counts: one look-up a pixel is all that is left to do."""
    # Only an episode with depth has to wait until it is loaded.
    import matplotlib as mpl  # noqa: PLC0415

    closeness = 1 - (np.arange(1 << 16) - near) / (far - near)
    colours = mpl.colormaps[_PALETTE](_DARKEST + (1 - _DARKEST) * np.clip(closeness, 0, 1), bytes=True)
    table = np.ascontiguousarray(colours[:, :3], dtype=np.uint8)
    table[0] = 0
    table.flags.writeable = False
    return table
