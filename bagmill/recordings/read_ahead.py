"""Pieces of a file read, unpacked and checked by threads a little ahead of whoever follows them, and handed over in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

Step = TypeVar("Step")
Loaded = TypeVar("Loaded")


def read_ahead(
    steps: Iterable[tuple[Step, Callable[[], Loaded] | None]], *, num_threads: int
) -> Iterator[tuple[Step, Loaded | None]]:
    """Every step in its order, with what its load gave.

    Args:
        steps: Step and what loads its bytes, or None where there is nothing to load. Asked for in the caller's thread,
            at most `num_threads` loads ahead, so that memory holds that many pieces and the one that is followed.
        num_threads: At least 1.
    """
    under_way: deque[tuple[Step, Future[Loaded] | None]] = deque()
    num_loads = 0
    pool: ThreadPoolExecutor | None = None
    try:
        for step, load in steps:
            if load is not None:
                pool = pool or ThreadPoolExecutor(num_threads, thread_name_prefix="read-ahead")
                num_loads += 1
            under_way.append((step, None if load is None or pool is None else pool.submit(load)))
            while num_loads > num_threads or (under_way and under_way[0][1] is None):
                first, future = under_way.popleft()
                num_loads -= future is not None
                yield first, None if future is None else future.result()
                del future  # it holds what was loaded
        while under_way:
            first, future = under_way.popleft()
            yield first, None if future is None else future.result()
            del future
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
