"""Threads that write files while what is to be written next is being made."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

_NUM_THREADS: Final = 2
"""One copies into the kernel while the other adds up a checksum; more would only wait for the memory."""
_MOST_UNDER_WAY: Final = 4
T = TypeVar("T")


class WriteBehind:
    """Runs writes in threads, a few of them under way at a time: whoever hands over more waits, and memory stays bounded.

    Writes may finish in any order: each says itself where in a file its bytes go.
    """

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(_NUM_THREADS, thread_name_prefix="write-behind")
        self._room = threading.Semaphore(_MOST_UNDER_WAY)

    def submit(self, write: Callable[[], T]) -> Future[T]:
        """Hand over a write, and wait until there is room for it.

        Returns:
            Done once it is written; its result is what the write gave, or raises what it raised.
        """
        self._room.acquire()
        future = self._pool.submit(write)
        future.add_done_callback(self._make_room)
        return future

    def close(self) -> None:
        """Wait for what is under way, and end the threads."""
        self._pool.shutdown()

    def _make_room(self, _: Future[T]) -> None:
        self._room.release()
