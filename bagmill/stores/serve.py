"""The process that fetches: `python -m bagmill.stores.serve`, started by `client`, with a socket for its only argument.

The library that speaks to stores has threads of its own, which a fork leaves without their owner: a process that has used it and
is forked, as training processes are, hangs or crashes. So it is used in this process and in no other, which also keeps its work
out of the way of whoever holds the GIL of a training process.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.connection import Connection
from typing import Final

from bagmill.addresses import without_secrets
from bagmill.errors import StorageError
from bagmill.stores.store import Store
from bagmill.stores.wire import Answer, Numbered, Request

_LOOK_S: Final = 2.0
"""After which it is looked whether the other process is still there: forks of it may keep the socket open."""


def main() -> None:
    """Answer until the other side hangs up."""
    # Ctrl-C goes to all processes of a terminal; this one ends with the one that started it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    connection, parent = Connection(int(sys.argv[1])), os.getppid()
    lock = threading.Lock()
    try:
        settings = connection.recv()
        refusal = None
        try:
            store = Store(settings)
        except StorageError as err:
            refusal = err
        pool = ThreadPoolExecutor(settings.num_parallel)

        def answer(number: int, request: Request) -> None:
            try:
                answer: Answer | StorageError = refusal or store.answer(request)
            except StorageError as err:
                answer = err
            except Exception as err:  # noqa: BLE001 - whoever waits has to be told, whatever it is
                answer = StorageError(
                    f"{settings.told(request.key)} cannot be fetched ({without_secrets(repr(err), settings.address)})"
                )
            with lock:
                connection.send(Numbered(number, answer))

        while True:
            if connection.poll(_LOOK_S):
                pool.submit(answer, *connection.recv())
            elif os.getppid() != parent:
                break
    except (EOFError, OSError):
        pass
    # Not waiting for what nobody asks for any more: an unfinished file is begun anew by whoever wants it next.
    os._exit(0)


if __name__ == "__main__":
    main()
