"""What a forked child does: take on its limits, do the one job, say what came of it, end."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from bagmill.errors import BagmillError
from bagmill.limits import set_limits
from bagmill.pulse import hear_pulses
from bagmill.workers.protocol import Failed, Job, Message, Pulse, Raised, Returned, Step

_PR_SET_PDEATHSIG: Final = 1
_LIBC: Final = ctypes.CDLL(None, use_errno=True)  # before the fork: loading a library takes locks
_SAY_EVERY_S: Final = 0.1
"""Progress is told no more often."""
_OOM_SCORE: Final = "500"
"""Where the machine runs out of memory, the kernel ends a child before the processes that hold the others together."""
_MOST_TRACEBACK: Final = 8000


def begin_child(*, server: int) -> None:
    """Make a process that was just forked one that ends with its server and takes no signal meant for others.

    Args:
        server: Process ID of the server.
    """
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    # A group of its own: a Ctrl-C in the terminal is for the asker, and what the child starts is ended with it.
    os.setpgid(0, 0)
    end_with_parent(server)


def end_with_parent(parent: int) -> None:
    """Have the kernel end this process as soon as its parent is gone, in the middle of whatever it does."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)  # it was gone before we asked


def run_job(pipe: int, output: int) -> None:
    """Do the job that is the first thing on the pipe.

    Args:
        pipe: Descriptor of a connection to the asker.
        output: Descriptor of a file for all that is written to standard output and standard error.
    """
    nothing = os.open(os.devnull, os.O_RDONLY)
    for descriptor, target in ((nothing, 0), (output, 1), (output, 2)):
        os.dup2(descriptor, target)
    sys.stdout = sys.stderr = open(2, "w", buffering=1, errors="backslashreplace", closefd=False)  # noqa: SIM115
    faulthandler.enable(file=2)  # what Python was at when a signal ended it
    with Connection(pipe) as asker:
        job: Job = asker.recv()
        speaker = _Speaker(asker)
        os.chdir(job.folder)
        tempfile.tempdir = job.scratch
        set_limits(job.limits)
        _limit(job.memory_bytes)
        hear_pulses(speaker.pulse)
        speaker.finish(_answer(job, speaker.step))


def _limit(memory_bytes: int) -> None:
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    # What is written to and not shared: unlike the address space it leaves out mapped files and what is only reserved.
    for what, most in ((resource.RLIMIT_DATA, memory_bytes), (resource.RLIMIT_CORE, 0)):
        allowed = resource.getrlimit(what)[1]
        bound = most if allowed == resource.RLIM_INFINITY else min(most, allowed)
        resource.setrlimit(what, (bound, bound))


def _answer(job: Job, progress: Callable[..., None]) -> Message:
    try:
        return Returned(job.function(*job.arguments, progress=progress))
    except BagmillError as err:
        return Raised(err)
    except BaseException as err:  # noqa: BLE001 - whatever it is, the asker is told, and this process ends
        # What filled the memory hangs on the exception's frames: it must go before there is room for a word.
        is_out_of_memory, is_too_deep = isinstance(err, MemoryError), isinstance(err, RecursionError)
        kind, message = type(err).__name__, str(err)
        frames = traceback.extract_tb(err.__traceback__)
        err.__traceback__ = err.__context__ = err.__cause__ = None
    gc.collect()
    text = "".join(["Traceback (most recent call last):\n", *frames.format(), f"{kind}: {message}\n"])
    return Failed(kind, message, text[-_MOST_TRACEBACK:], is_out_of_memory, is_too_deep)


class _Speaker:
    """Says how the job goes, from any thread, now and then."""

    def __init__(self, asker: Connection) -> None:
        self._asker = asker
        self._lock = threading.Lock()
        self._said: tuple[Any, ...] = ()
        self._waiting: tuple[Any, ...] = ()
        self._next_s = 0.0

    def step(self, *said: Any) -> None:
        """Tell a step of progress; of those that follow each other fast, some. What was said before is none."""
        with self._lock:
            if said == self._waiting:
                return
            self._waiting = said
            # A new stage is told at once: where the job ends, if it does, is known by it.
            is_new = said[:-2] != self._said[:-2]
            if is_new or time.monotonic() >= self._next_s:
                self._said = said
                self._send(Step(said))

    def pulse(self) -> None:
        """Tell that the job has come further, unless something was told just now."""
        if time.monotonic() >= self._next_s:
            with self._lock:
                self._send(Pulse())

    def finish(self, message: Message) -> None:
        """Tell what came of the job."""
        with self._lock:
            if self._waiting != self._said:
                self._send(Step(self._waiting))
            self._send(message)

    def _send(self, message: Message) -> None:
        self._asker.send(message)
        self._next_s = time.monotonic() + _SAY_EVERY_S
