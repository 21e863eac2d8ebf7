"""Memory of batches that nobody holds any more, for the next ones.

A batch of pictures is tens of megabytes. Freshly asked of the system every page of it costs a fault and is filled with
zeros first, which on some machines takes as long as decoding what goes in.

Where an array begins matters, too. libjpeg-turbo writes a row that begins at a multiple of 32 bytes past the caches, as if nobody
were to read it soon; a picture of 96×96 takes 57 µs so and 48 µs beside such a place.
"""

from __future__ import annotations

import mmap
import threading
import weakref
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

PICTURE_OFFSET: Final = 16
"""Bytes from the begin of a page, or of 32 bytes, at which pictures begin."""
_LEAST_BYTES: Final = 1 << 20
"""Smaller arrays come from memory that Python keeps for itself."""


class Buffers:
    """Gives arrays whose memory comes back by itself, once the last view of them is gone.

    Args:
        max_idle_bytes: Of memory that waits for its next use; what comes back beyond it goes to the system.
    """

    def __init__(self, *, max_idle_bytes: int) -> None:
        self._max_idle_bytes = max_idle_bytes
        self._idle: dict[int, list[mmap.mmap]] = {}
        """By size."""
        self.idle_bytes = 0
        """Of memory that waits."""
        self._lock = threading.Lock()

    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array as of `numpy.empty`: whatever was in its memory is in it."""
        num_bytes = int(np.prod(shape, dtype=np.int64)) * dtype.itemsize
        if num_bytes < _LEAST_BYTES:
            return np.empty(shape, dtype)
        memory = self._take(num_bytes)
        # Every view of it refers to this array, and no further: the memory is none of NumPy's.
        flat: NDArray[Any] = np.frombuffer(memory, dtype, num_bytes // dtype.itemsize, PICTURE_OFFSET)
        weakref.finalize(flat, self._give_back, memory, num_bytes).atexit = False
        return flat.reshape(shape)

    def _take(self, num_bytes: int) -> mmap.mmap:
        with self._lock:
            idle = self._idle.get(num_bytes)
            if idle:
                self.idle_bytes -= num_bytes
                return idle.pop()
        memory = mmap.mmap(-1, PICTURE_OFFSET + num_bytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            # One fault for two mebibytes instead of five hundred.
            memory.madvise(mmap.MADV_HUGEPAGE)
        return memory

    def _give_back(self, memory: mmap.mmap, num_bytes: int) -> None:
        # A collection may come at any moment: while this very thread holds the lock, or in a process that was forked
        # while another thread held it. Memory that cannot be kept goes to the system.
        if not self._lock.acquire(blocking=False):
            return
        try:
            if self.idle_bytes + num_bytes <= self._max_idle_bytes:
                self._idle.setdefault(num_bytes, []).append(memory)
                self.idle_bytes += num_bytes
        finally:
            self._lock.release()
