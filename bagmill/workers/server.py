"""Servers as the asking process has them: started when first needed, kept for later, ended with it.

Where this process may be forked, a server is a copy of it, which costs milliseconds. Else it is a program of its own, which
imports everything again: another's process may run threads, and its main module is nothing that a child should be a copy of.
"""

from __future__ import annotations

import atexit
import os
import pickle
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, BinaryIO, Final

from bagmill.forking import may_fork
from bagmill.limits import limits
from bagmill.workers.memory import num_ended_for_memory, used_cpu_s
from bagmill.workers.protocol import (
    ENDED,
    FORK,
    KILL,
    PACKET,
    STARTED,
    Failed,
    Job,
    Message,
    Pulse,
    Raised,
    Returned,
    Step,
)
from bagmill.workers.server_process import become_server

_ROOT: Final = str(Path(__file__).resolve().parents[2])
_PROGRAM: Final = "from bagmill.workers.server_process import main; main()"
_LOOK_EVERY_S: Final = 1.0
_BUSY: Final = 0.05
"""Of a core: whoever waits uses less, whoever computes on a machine with much to do gets more."""
_MOST_OUTPUT_BYTES: Final = 16 << 20
_SHOWN_OUTPUT_BYTES: Final = 8000
_ENV: Final = {
    # Threads that libraries start when they are loaded, and that nothing here needs: none of them is forked.
    "OPENBLAS_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}


@dataclass(frozen=True, slots=True)
class Death:
    """How a child ended that did not say what came of its job."""

    status: int
    """As `os.waitpid` tells it."""
    most_bytes: int
    """The most memory that it had."""
    memory_bytes: int
    """That it was allowed."""
    silent_s: float | None
    """Seconds without progress, for which we ended it; None: we did not."""
    was_busy: bool
    """It used a processor while it was silent."""
    was_short_of_memory: bool
    """The machine ended processes for want of memory meanwhile."""


@dataclass(eq=False, slots=True)
class Child:
    """A job under way, or done."""

    number: int
    pipe: Connection
    output: BinaryIO
    """All that it writes to standard output and standard error, while it runs."""
    job: Job
    told: Callable[..., None] | None
    """Called with the steps of its progress."""
    process: int = 0
    """Its process ID, once it has begun."""
    begun_s: float = field(default_factory=time.monotonic)
    heard_s: float = 0.0
    """When it last came further."""
    is_heard: bool = True
    """Its pipe is open."""
    written: str = ""
    """The end of what it wrote, once it is done."""
    said: tuple[Any, ...] = ()
    """The last step of its progress."""
    answer: Returned | Raised | Failed | Death | None = None
    cpu_s: float = 0.0
    """Processor time it had used when it last came further."""
    silent_s: float | None = None
    was_busy: bool = False
    num_ended: int = field(default_factory=num_ended_for_memory)


class Server:
    """A server, and the children it has forked for us; for one thread at a time."""

    def __init__(self) -> None:
        self._orders, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._process: subprocess.Popen[bytes] | int
        with theirs:
            self._process = _fork(self._orders, theirs) if may_fork() else _start_program(theirs)
        self._children: dict[int, Child] = {}
        self._last_number = 0

    def start(
        self,
        function: Callable[..., Any],
        *arguments: Any,
        memory_bytes: int,
        told: Callable[..., None] | None = None,
    ) -> Child:
        """Have a child call a function, with `progress` as a keyword: what that is called with, `told` is called with.

        Args:
            function: Of a module, so that it can be named to another process.
            arguments: That can be pickled.
            memory_bytes: That the child may take.
            told: Called from `wait`.

        Raises:
            OSError: There is no room for temporary files, or too much is open.
        """
        job = Job(function, arguments, limits(), memory_bytes, str(Path.cwd()), tempfile.mkdtemp(prefix="bagmill-"))
        self._last_number += 1
        ours, theirs = socket.socketpair()
        output = tempfile.TemporaryFile("a+b")  # noqa: SIM115 - closed by `_close`
        child = Child(self._last_number, Connection(ours.detach()), output, job, told)
        self._children[child.number] = child
        packet = PACKET.pack(FORK, child.number, 0, 0)
        with theirs, suppress(ConnectionError):  # the server is gone, as `wait` will find
            socket.send_fds(self._orders, [packet], [theirs.fileno(), output.fileno()])
        with suppress(ConnectionError):  # it has ended already, as `wait` will be told
            child.pipe.send(job)
        return child

    def wait(self) -> list[Child]:
        """Those that are done, at least one of those under way; each is given once, and nothing of it is left running.

        Raises:
            ServerGoneError: The server was ended from outside.
        """
        while True:
            pipes = [child.pipe for child in self._children.values() if child.is_heard]
            ready = wait([self._orders, *pipes], _LOOK_EVERY_S)
            for child in list(self._children.values()):
                if child.pipe in ready:
                    self._hear(child)
            if self._orders in ready:
                self._take_news()
            done = [child for child in self._children.values() if child.answer is not None]
            for child in done:
                self._close(child)
            if done:
                return done
            self._look_after()

    @property
    def is_alive(self) -> bool:
        """It has not been ended from outside."""
        try:
            while wait([self._orders], 0):
                self._take_news()
        except ServerGoneError:
            return False
        return True

    def end(self) -> None:
        """End the server and everything it has forked."""
        self._orders.close()
        if isinstance(self._process, int):
            with suppress(ChildProcessError):
                os.waitpid(self._process, 0)
        else:
            self._process.wait()
        for child in list(self._children.values()):
            self._close(child)

    def _hear(self, child: Child) -> None:
        """Take what a child has said."""
        while child.answer is None:
            try:
                if not child.pipe.poll():
                    return
                message: Message = child.pipe.recv()
            except (EOFError, OSError, pickle.UnpicklingError):
                child.is_heard = False
                return  # the server is about to tell of it
            child.heard_s = time.monotonic()
            child.cpu_s = used_cpu_s(child.process)
            match message:
                case Step(said):
                    child.said = said
                    if child.told is not None:
                        child.told(*said)
                case Pulse():
                    pass
                case _:
                    child.answer = message

    def _take_news(self) -> None:
        try:
            news = self._orders.recv(PACKET.size)
        except ConnectionError:
            news = b""
        if len(news) < PACKET.size:
            raise ServerGoneError
        kind, number, first, second = PACKET.unpack(news)
        child = self._children.get(number)
        if child is None:
            return
        if kind == STARTED:
            child.process, child.heard_s = first, time.monotonic()
        elif kind == ENDED:
            self._hear(child)  # it may have answered just before
            child.answer = child.answer or Death(
                status=first,
                most_bytes=second << 10,
                memory_bytes=child.job.memory_bytes,
                silent_s=child.silent_s,
                was_busy=child.was_busy,
                was_short_of_memory=num_ended_for_memory() > child.num_ended,
            )

    def _look_after(self) -> None:
        """End those that have been silent for too long."""
        now_s = time.monotonic()
        for child in self._children.values():
            silent_s = now_s - child.heard_s
            if child.process and silent_s > child.job.limits.episode_silent_s and child.silent_s is None:
                child.silent_s = silent_s
                child.was_busy = used_cpu_s(child.process) - child.cpu_s > _BUSY * silent_s
                self._orders.send(PACKET.pack(KILL, child.number, 0, 0))
            with suppress(OSError):
                if os.fstat(child.output.fileno()).st_size > _MOST_OUTPUT_BYTES:
                    os.ftruncate(child.output.fileno(), 0)

    def _close(self, child: Child) -> None:
        """Leave nothing of a child."""
        self._children.pop(child.number, None)
        with suppress(OSError):
            self._orders.send(PACKET.pack(KILL, child.number, 0, 0))
        child.pipe.close()
        with child.output as output:
            output.seek(max(0, output.seek(0, os.SEEK_END) - _SHOWN_OUTPUT_BYTES))
            child.written = output.read().decode(errors="backslashreplace").strip()
        if child.written and isinstance(child.answer, Returned | Raised):
            sys.stderr.write(child.written + "\n")  # a warning, say
        shutil.rmtree(child.job.scratch, ignore_errors=True)


class ServerGoneError(Exception):
    """The server was ended from outside, and all its children with it."""


_idle: list[Server] = []
_lock = threading.Lock()


@contextmanager
def server() -> Iterator[Server]:
    """A server for a while: one that is idle, or a new one."""
    with _lock:
        taken = _idle.pop() if _idle else None
    if taken is not None and not taken.is_alive:
        taken.end()
        taken = None
    taken = taken or Server()
    try:
        yield taken
    except BaseException:
        taken.end()
        raise
    with _lock:
        _idle.append(taken)


@atexit.register
def end_servers() -> None:
    """End the servers that are idle."""
    with _lock:
        ended = list(_idle)
        _idle.clear()
    for each in ended:
        each.end()


os.register_at_fork(after_in_child=_idle.clear)  # a copy of us must not speak into the same sockets


def _fork(ours: socket.socket, theirs: socket.socket) -> int:
    parent = os.getpid()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    process = os.fork()
    if process == 0:
        try:
            ours.close()
            become_server(theirs, parent=parent)
        finally:
            os._exit(1)
    return process


def _start_program(theirs: socket.socket) -> subprocess.Popen[bytes]:
    return subprocess.Popen(  # noqa: S603 - our own program under our own interpreter
        [sys.executable, "-P", "-c", _PROGRAM, str(theirs.fileno())],
        pass_fds=[theirs.fileno()],
        stdin=subprocess.DEVNULL,
        # The first path is ours: it may stand in `sys.path` only for a while, as where Dagster loads the definitions.
        env={**_ENV, **os.environ, "PYTHONPATH": os.pathsep.join([_ROOT, *filter(None, sys.path)])},
        process_group=0,  # a Ctrl-C in the terminal is for us; we end the server
    )
