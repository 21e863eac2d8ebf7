"""Buffers that may be pickled and forked: each process has its own."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.training.buffers import Buffers

IDLE_BYTES: Final = 512 << 20
"""Of batches that were given up, kept for the next."""


class ProcessBuffers:
    """As `Buffers`, made anew in whichever process asks: after a fork another thread may hold the lock of the first.

    Args:
        max_idle_bytes: Of memory that waits for its next use.
    """

    def __init__(self, *, max_idle_bytes: int = IDLE_BYTES) -> None:
        self._max_idle_bytes = max_idle_bytes
        self._opened: tuple[int, Buffers] | None = None

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_opened": None}

    def empty(self, shape: Sequence[int], dtype: np.dtype[Any]) -> NDArray[Any]:
        """An array as of `numpy.empty`: whatever was in its memory is in it."""
        process = os.getpid()
        if self._opened is None or self._opened[0] != process:
            self._opened = process, Buffers(max_idle_bytes=self._max_idle_bytes)
        return self._opened[1].empty(shape, dtype)
