"""The side of the process that asks: requests go out, and each gets a future."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import weakref
from concurrent.futures import Future
from contextlib import suppress
from multiprocessing.connection import Connection, Pipe
from typing import Final

from bagmill.errors import StorageError
from bagmill.stores.wire import Answer, Numbered, Request, StoreSettings

_END_S: Final = 5.0
_Waiting = dict[int, tuple[Request, "Future[Answer]"]]


class StoreClient:
    """A process that fetches, and what was asked of it; may be shared by threads, but not by processes.

    Args:
        settings: Which store.

    Raises:
        StorageError: The process does not start.
    """

    def __init__(self, settings: StoreSettings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._waiting: _Waiting = {}
        self._numbers: dict[Request, int] = {}
        """Of requests that are under way: who asks for the same waits for the same."""
        self._count = 0
        self._connection, theirs = Pipe()
        try:
            # `subprocess`, because processes of `multiprocessing` may not start any, and torch's workers are such.
            process = subprocess.Popen(  # noqa: S603 - this interpreter, and a number
                [sys.executable, "-m", "bagmill.stores.serve", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            )
        except OSError as err:
            raise StorageError(
                f"the process that fetches from {settings.told()} cannot be started ({err.strerror})"
            ) from err
        finally:
            theirs.close()
        self._connection.send(settings)
        self._receiver = threading.Thread(
            target=_receive,
            args=(self._connection, self._waiting, self._numbers, self._lock, settings.told()),
            name="bagmill-fetched",
            daemon=True,
        )
        self._receiver.start()
        self._finalizer = weakref.finalize(self, _end, self._connection, process, self._lock, os.getpid())

    @property
    def is_alive(self) -> bool:
        """Whether the process still answers."""
        return self._receiver.is_alive()

    def submit(self, request: Request) -> Future[Answer]:
        """Ask for something, unless it is asked for already.

        Returns:
            The answer; its error is a `StorageError`.
        """
        with self._lock:
            if request in self._numbers:
                return self._waiting[self._numbers[request]][1]
            future: Future[Answer] = Future()
            number = self._count = self._count + 1
            self._waiting[number], self._numbers[request] = (request, future), number
            try:
                self._connection.send((number, request))
            except OSError:
                del self._waiting[number], self._numbers[request]
                future.set_exception(_has_ended(self._settings.told()))
        return future


def _receive(
    connection: Connection, waiting: _Waiting, numbers: dict[Request, int], lock: threading.Lock, address: str
) -> None:
    # No method: the thread would keep the client, whose end is this thread's.
    with suppress(EOFError, OSError):
        while True:
            told: Numbered = connection.recv()
            with lock:
                request, future = waiting.pop(told.number)
                del numbers[request]
            if isinstance(told.answer, StorageError):
                future.set_exception(told.answer)
            else:
                future.set_result(told.answer)
    with lock:
        left = [future for _, future in waiting.values()]
        waiting.clear()
        numbers.clear()
    for future in left:
        future.set_exception(_has_ended(address))


def _end(connection: Connection, process: subprocess.Popen[bytes], lock: threading.Lock, owner: int) -> None:
    if os.getpid() != owner:
        # A fork's copy: the process is the other's child, and no concern of this one.
        process.returncode = 0
        return
    process.terminate()
    try:
        process.wait(_END_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    with lock:
        connection.close()


def _has_ended(address: str) -> StorageError:
    return StorageError(
        f"the process that fetches from {address} has ended", remedy="Read again: another one is started"
    )
