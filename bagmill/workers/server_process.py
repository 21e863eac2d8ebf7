"""The server: a process that has everything imported, does nothing itself, and forks a child for every job it is asked for.

A fork costs milliseconds where a new interpreter costs seconds. It is safe because the server runs no thread of its own and
opens nothing: a child begins as a copy of a program that has only been loaded.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import traceback
import warnings
from contextlib import suppress
from typing import Final

from bagmill.workers.child import begin_child, end_with_parent, run_job
from bagmill.workers.protocol import ENDED, FORK, KILL, PACKET, STARTED
from bagmill.workers.warm import warm_up

_DESCRIPTORS: Final = 2
"""That come with an order to fork."""


def main() -> None:
    """Serve the socket whose descriptor is the argument."""
    import bagmill.ingest  # noqa: PLC0415 - what the children need, imported once for all of them
    import bagmill.previews.encoder_process  # noqa: F401, PLC0415

    serve(socket.socket(fileno=int(sys.argv[1])))


def serve(asker: socket.socket) -> None:
    """Fork children until the asker is gone; ends this process.

    Args:
        asker: Of packets.
    """
    # Libraries keep a thread of memory upkeep or of BLAS, which look after themselves in a fork.
    warnings.filterwarnings("ignore", message=".*multi-threaded.*fork", category=DeprecationWarning)
    os.set_inheritable(asker.fileno(), False)
    server = _Server(asker)
    gc.collect()
    gc.freeze()  # a child that looks for garbage among what was loaded would copy all of its memory
    try:
        server.run()
    finally:
        server.end_all()
        os._exit(0)


class _Server:
    def __init__(self, asker: socket.socket) -> None:
        self._asker = asker
        self._number_of: dict[int, int] = {}  # process ID → the child's number
        self._num_forked = 0
        self._bell, bell = os.pipe()
        for end in (self._bell, bell):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(bell, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)

    def run(self) -> None:
        poll = select.poll()
        poll.register(self._asker, select.POLLIN)
        poll.register(self._bell, select.POLLIN)
        while True:
            ready = [descriptor for descriptor, _ in poll.poll()]
            if self._bell in ready:
                with suppress(BlockingIOError):
                    os.read(self._bell, 65536)
                self._tell_ended()
            if self._asker.fileno() in ready and not self._take_order():
                return

    def end_all(self) -> None:
        for child in self._number_of:
            _end_group(child)
        for child in self._number_of:
            with suppress(ChildProcessError):
                os.waitpid(child, 0)

    def _take_order(self) -> bool:
        """Follow an order; False where the asker is gone."""
        try:
            packet, descriptors, _, _ = socket.recv_fds(self._asker, PACKET.size, _DESCRIPTORS)
        except ConnectionError:
            return False
        if len(packet) < PACKET.size:
            return False
        order, number, _, _ = PACKET.unpack(packet)
        if order == KILL:
            for child, its_number in self._number_of.items():
                if its_number == number:
                    _end_group(child)
        elif order == FORK:
            self._fork(number, *descriptors)
            for descriptor in descriptors:
                os.close(descriptor)
        return True

    def _fork(self, number: int, pipe: int, output: int) -> None:
        server = os.getpid()
        if self._num_forked == 1:  # the first need not wait for it, and there may be no other
            with suppress(Exception):  # what cannot be loaded is told where it is used
                warm_up()
            gc.freeze()
        self._num_forked += 1
        try:
            child = os.fork()
        except OSError:  # too many processes, or no memory for one more
            self._send(ENDED, number, 1 << 8, 0)
            return
        if child == 0:
            try:
                self._asker.close()
                begin_child(server=server)
                run_job(pipe, output)
            except BaseException:  # noqa: BLE001 - nobody is above us: what it was stands in the child's output
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        with suppress(OSError):  # whichever of us is first: the group has to be there before anybody is told
            os.setpgid(child, child)
        self._number_of[child] = number
        self._send(STARTED, number, child, 0)

    def _tell_ended(self) -> None:
        while True:
            try:
                found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if found is None:
                return
            # What it started goes with it, as long as its ID is still its own.
            _end_group(found.si_pid)
            child, status, used = os.wait4(found.si_pid, 0)
            number = self._number_of.pop(child, None)
            if number is not None:
                self._send(ENDED, number, status, used.ru_maxrss)

    def _send(self, news: bytes, number: int, first: int, second: int) -> None:
        with suppress(ConnectionError):  # the asker is gone, which we see next
            self._asker.send(PACKET.pack(news, number, first, second))


def _end_group(child: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(child, signal.SIGKILL)


def become_server(asker: socket.socket, *, parent: int) -> None:
    """Make a process that was just forked from the asker its server."""
    os.setpgid(0, 0)
    end_with_parent(parent)
    nothing = os.open(os.devnull, os.O_RDWR)
    for target in (0, 1):  # a reader of the asker's output must not wait for the end of ours
        os.dup2(nothing, target)
    serve(asker)
