"""Pieces of a file read, unpacked and checked by threads a little ahead of whoever follows them, and handed over in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

Step = TypeVar("Step")
Loaded = TypeVar("Loaded")
_MOST_BYTES: Final = 256 << 20
"""Of what is loaded ahead; a larger piece is loaded when it is its turn."""


def read_ahead(
    steps: Iterable[tuple[Step, Callable[[], Loaded] | None, int]], *, num_threads: int, most_bytes: int = _MOST_BYTES
) -> Iterator[tuple[Step, Loaded | None]]:
    """Every step in its order, with what its load gave.

    Args:
        steps: Step, what loads its bytes (None where there is nothing to load), and how many bytes it says it will hold.
            Asked for in the caller's thread, at most `num_threads` loads ahead, so that memory holds that many pieces and
            the one that is followed.
        num_threads: At least 1.
        most_bytes: Of what is ahead.
    """
    under_way: deque[tuple[Step, Future[Loaded] | None, int]] = deque()
    num_loads = num_bytes_ahead = 0
    pool: ThreadPoolExecutor | None = None

    def first() -> tuple[Step, Loaded | None]:
        """The first step under way, with what was loaded for it, of which nothing here keeps hold."""
        nonlocal num_loads, num_bytes_ahead
        step, future, num_bytes = under_way.popleft()
        num_loads -= future is not None
        num_bytes_ahead -= num_bytes
        return step, None if future is None else future.result()

    try:
        for step, load, num_bytes in steps:
            if load is None:
                under_way.append((step, None, 0))
            else:
                while under_way and num_bytes_ahead + num_bytes > most_bytes:
                    yield first()
                pool = pool or ThreadPoolExecutor(num_threads, thread_name_prefix="read-ahead")
                under_way.append((step, pool.submit(load), num_bytes))
                num_loads += 1
                num_bytes_ahead += num_bytes
            while num_loads > num_threads or (under_way and under_way[0][1] is None):
                yield first()
        while under_way:
            yield first()
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
