"""AV1 by a process of its own, watched: one that stalls or crashes costs a film, not the program.

SVT-AV1 is known to wait for itself for ever, rarely and not at will (seen here with 4.1 while it gave out the last frames of
a short film; others report the same of 3.1). Within our process nothing could end that.
"""

from __future__ import annotations

import atexit
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import StorageError
from bagmill.previews import encoder_process

_PROGRAM: Final = Path(__file__).with_name("encoder_process.py")
_ENV: Final = {"SVT_LOG": "1", "OPENBLAS_NUM_THREADS": "1"}
"""SVT-AV1 tells its life story on stderr, 1 leaves errors. BLAS would start threads that nothing there uses."""
_PIPE_BYTES: Final = 1 << 20
"""Of frames on the way; the default of 64 KiB makes a picture a dozen conversations."""


@dataclass(frozen=True, slots=True)
class FilmOrder:
    """What the encoder is asked for, in its own process's words."""

    path: str
    width: int
    height: int
    num_frames: int
    rate: str
    """Frames a second, as a fraction, for the encoder's rate control."""
    time_base: str
    """Seconds from a frame to the next, as a fraction."""
    gop_size: int
    options: dict[str, str]
    colorspace: str = "ITU709"
    """The planes' matrix, as a name of PyAV's `Colorspace`; told in the film."""


class EncoderStalledError(Exception):
    """The encoder's process said nothing and took nothing for too long, or died; one sentence."""


def encode_film(order: FilmOrder, frames: Iterable[NDArray[np.uint8]], *, patience_s: float) -> None:
    """Write a film, by an encoder that waits for work or else by a new one.

    Args:
        order: What is wanted.
        frames: `order.num_frames` contiguous uint8 arrays of height × 3/2 × width: the planes of a 4:2:0 picture, Y, U, V.
        patience_s: Seconds in which the encoder must take a frame, or end.

    Raises:
        StorageError: The encoder refuses, or the disk does not take it.
        EncoderStalledError: The encoder did not answer in time, or crashed; its process is ended.
    """
    encoder = _idle.pop() if _idle else _Encoder()
    try:
        encoder.encode(order, frames, patience_s=patience_s)
    except BaseException:
        encoder.end()
        raise
    _idle.append(encoder)


def prepare_encoder() -> None:
    """Have an encoder ready before it is needed, for next to nothing: as a fork, so before this process starts threads.

    For a process that leads a group of its own, which is ended as a whole: its encoders stay in that group.
    """
    global _is_group_ended  # noqa: PLW0603 - so it is for the whole process
    _is_group_ended = True
    if not _idle:
        _idle.append(_Encoder(is_forked=True))


class _Encoder:
    """A process that encodes one film after the other; it ends with ours.

    Args:
        is_forked: A fork of this process, which has loaded what it needs; else a program of its own.
    """

    def __init__(self, *, is_forked: bool = False) -> None:
        self._process: _Forked | subprocess.Popen[bytes]
        if is_forked:
            self._process = _Forked()
            self._to, self._from = self._process.to_it, self._process.from_it
        else:
            self._process, self._to, self._from = _start_program()
        os.set_blocking(self._to, False)
        with suppress(OSError):  # more than an unprivileged user may have: it works with less
            fcntl.fcntl(self._to, fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def encode(self, order: FilmOrder, frames: Iterable[NDArray[np.uint8]], *, patience_s: float) -> None:
        with suppress(BrokenPipeError):  # it has ended early; why is in its answer, or it has crashed
            self._send(json.dumps(asdict(order)).encode() + b"\n", patience_s)
            for frame in frames:
                self._send(frame.data.cast("B"), patience_s)
        answer = json.loads(self._receive_line(patience_s))
        if answer["problem"] is not None:
            raise StorageError(answer["problem"], path=order.path, remedy=answer["remedy"])

    def end(self) -> None:
        with self._process:  # closes its pipes and waits for it
            self._process.kill()

    def _send(self, data: bytes | memoryview, patience_s: float) -> None:
        left = memoryview(data)
        while left:
            self._wait(self._to, select.POLLOUT, patience_s)
            left = left[os.write(self._to, left) :]

    def _receive_line(self, patience_s: float) -> bytes:
        line = b""
        while not line.endswith(b"\n"):
            self._wait(self._from, select.POLLIN, patience_s)
            if not (more := os.read(self._from, 65536)):
                code = self._process.wait()
                how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit status {code}"
                raise EncoderStalledError(f"the AV1 encoder's process {how}")
            line += more
        return line

    @staticmethod
    def _wait(descriptor: int, event: int, patience_s: float) -> None:
        poll = select.poll()
        poll.register(descriptor, event)
        if not poll.poll(patience_s * 1000):
            raise EncoderStalledError(f"the AV1 encoder has stalled (no sign of life for {patience_s:g} s)")


class _Forked:
    """A copy of this process that does nothing but encode; as much of `Popen` as is needed here."""

    def __init__(self) -> None:
        its_input, self.to_it = os.pipe()
        self.from_it, its_output = os.pipe()
        self._code: int | None = None
        self._id = os.fork()
        if self._id == 0:
            try:
                os.dup2(its_input, 0)
                os.dup2(its_output, 1)
                os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # a pipe of ours that stayed open would never end
                os.environ.update(_ENV)
                encoder_process.main(open(0, "rb"), open(1, "w", encoding="utf-8"))  # noqa: SIM115
            finally:
                os._exit(1)
        os.close(its_input)
        os.close(its_output)

    def __enter__(self) -> None:
        """Nothing."""

    def __exit__(self, *_: object) -> None:
        os.close(self.to_it)
        os.close(self.from_it)
        self.wait()

    def kill(self) -> None:
        if self._code is None:
            os.kill(self._id, signal.SIGKILL)

    def wait(self) -> int:
        if self._code is None:
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._id, 0)[1])
        return self._code


def _start_program() -> tuple[subprocess.Popen[bytes], int, int]:
    """A process, and the descriptors that lead to it and from it."""
    process = subprocess.Popen(  # noqa: S603 - our own program under our own interpreter
        [sys.executable, "-P", str(_PROGRAM)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        env={**os.environ, **_ENV},
        process_group=None if _is_group_ended else 0,  # a Ctrl-C in the terminal is for us; we end the encoder
    )
    assert process.stdin is not None
    assert process.stdout is not None
    return process, process.stdin.fileno(), process.stdout.fileno()


_is_group_ended = False
_idle: list[_Encoder] = []
"""Encoders that have done a film and wait for the next."""


@atexit.register
def _end_idle() -> None:
    while _idle:
        _idle.pop().end()


os.register_at_fork(after_in_child=_idle.clear)  # a forked copy of us must not speak into the same pipe
