"""Threads whose work nobody waits for when a program ends."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from queue import SimpleQueue
from typing import Any

_Work = tuple["Future[Any]", Callable[[], Any]]


class Background:
    """Does what it is given in the order in which it comes; one thread at a time gives it something, of one process.

    A `ThreadPoolExecutor` would do all that is left in its queue before the interpreter ends, which is long where it is fetched.

    Args:
        num_threads: At most; each starts when it is first needed.
        name: Of the threads.
    """

    def __init__(self, num_threads: int, *, name: str) -> None:
        self._left = num_threads
        self._name = name
        self._queue: SimpleQueue[_Work | None] = SimpleQueue()
        weakref.finalize(self, _stop, self._queue, num_threads).atexit = False

    def submit(self, work: Callable[[], Any]) -> Future[Any]:
        """Have something done; its result or error is the future's."""
        future: Future[Any] = Future()
        self._queue.put((future, work))
        if self._left:
            self._left -= 1
            threading.Thread(target=_work, args=(self._queue,), name=self._name, daemon=True).start()
        return future


def _work(queue: SimpleQueue[_Work | None]) -> None:
    while (next_work := queue.get()) is not None:
        future, work = next_work
        try:
            future.set_result(work())
        except BaseException as err:  # noqa: BLE001 - it is told where the result is asked for
            future.set_exception(err)
        del next_work, future, work


def _stop(queue: SimpleQueue[_Work | None], num_threads: int) -> None:
    for _ in range(num_threads):
        queue.put(None)
