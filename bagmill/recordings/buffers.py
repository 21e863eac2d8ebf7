"""Memory that is used again: a recording's bytes pass through a few buffers, however long it is.

Memory fresh from the operating system is zeroed page by page when it is first touched, which costs more than reading a
file that is in the page cache. So bytes are read into buffers that earlier bytes have left.
"""

from __future__ import annotations

import threading
from typing import Final

_ROUND_TO_BYTES: Final = 64 * 1024
_MOST_KEPT: Final = 64
_MOST_ROOM: Final = 4
"""A buffer this many times larger than what is asked for is left for something that needs it."""


class BufferPool:
    """Buffers by size; one is free again as soon as nobody holds a view of it. Safe to use from several threads."""

    def __init__(self) -> None:
        self._buffers: list[bytearray] = []
        self._lock = threading.Lock()

    def take(self, size_bytes: int) -> memoryview:
        """A writable view (size_bytes,) of a buffer with whatever it held before.

        The buffer is the caller's, and whoever's the view or a part of it is handed to, until the last view is gone.
        """
        with self._lock:
            for buffer in self._buffers:
                fits = size_bytes <= len(buffer) <= _MOST_ROOM * size_bytes + _ROUND_TO_BYTES
                if fits and _is_free(buffer):
                    return memoryview(buffer)[:size_bytes]
            buffer = bytearray(-(-(size_bytes + 1) // _ROUND_TO_BYTES) * _ROUND_TO_BYTES)
            self._buffers.append(buffer)
            if len(self._buffers) > _MOST_KEPT:
                # Whoever still holds views of it keeps it alive.
                del self._buffers[0]
            return memoryview(buffer)[:size_bytes]


def _is_free(buffer: bytearray) -> bool:
    """Python refuses to change the length of a bytearray that anything has a view of."""
    try:
        buffer.append(buffer.pop())
    except BufferError:
        return False
    return True
