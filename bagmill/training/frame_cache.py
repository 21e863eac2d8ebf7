"""Decoded pictures of one camera, kept in memory until there is no more room for another."""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray


class FrameCache:
    """Keeps the pictures that come first, and never gives one up for another.

    Training takes every sample once an epoch, in an order that is anew each time: whichever picture is given up, it is
    wanted again as soon as any other. So the share that is kept is the share that is found, and nothing is copied in vain.

    Args:
        num_pictures: In all.
        shape: Of one.
        dtype: Of one.
        max_bytes: Of all that are kept.
    """

    def __init__(
        self, num_pictures: int, shape: tuple[int, ...], *, dtype: np.dtype[np.generic], max_bytes: int
    ) -> None:
        picture_bytes = int(np.prod(shape)) * dtype.itemsize
        self._places = np.full(num_pictures, -1, np.int32)
        """By picture: where it is kept, −1 where it is not."""
        # Not written to, so not yet memory.
        self._kept = np.empty((min(num_pictures, max_bytes // picture_bytes), *shape), dtype)
        self._num_kept = 0
        self._lock = threading.Lock()

    def copy(self, picture: int, out: NDArray[np.generic]) -> bool:
        """Put a picture where it is wanted; False where it is not kept."""
        place = int(self._places[picture])
        if place < 0:
            return False
        out[...] = self._kept[place]
        return True

    def keep(self, picture: int, pixels: NDArray[np.generic]) -> None:
        """Keep a picture if there is room."""
        if self._num_kept == len(self._kept):
            return
        with self._lock:
            if self._num_kept == len(self._kept) or self._places[picture] >= 0:
                return
            place = self._num_kept
            self._num_kept += 1
        self._kept[place] = pixels
        # Last: from here on it is found.
        self._places[picture] = place
