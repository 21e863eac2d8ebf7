"""One target's inputs, tried in a child process that is watched: what ends it or never ends is a finding, not the end."""

from __future__ import annotations

import faulthandler
import mmap
import os
import pickle
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Literal

from tests.fuzz.mutation import mutate
from tests.fuzz.target import Target

LONGEST_S = 10.0
MOST_BYTES = 1 << 30
_LOOK_S = 0.05

Kind = Literal["crash", "hang", "foreign", "memory"]


@dataclass(frozen=True, slots=True)
class Finding:
    """An input that got another answer than a value or an error of bagmill's own."""

    target: str
    number: int
    kind: Kind
    text: str
    data: bytes


@dataclass(slots=True)
class Tally:
    """What became of a target's inputs."""

    target: str
    num_inputs: int = 0
    num_refused: int = 0
    seconds: float = 0.0
    grown_bytes: int = 0
    """By how much the process that grew most did."""
    findings: list[Finding] = field(default_factory=list)


def make_input(target: Target, seeds: Sequence[bytes], *, seed: int, number: int) -> bytes:
    """The input of a number: the same for the same seed."""
    random = Random(f"{seed} {target.name} {number}")
    data = mutate(random, seeds, target.tokens)
    return data if target.mend is None or random.random() < 0.2 else target.mend(data)


def try_inputs(target: Target, numbers: range, *, seed: int) -> Tally:
    """Try inputs by their numbers, each within ten seconds and a GiB."""
    seeds = target.seeds()
    return _try_all(
        target, len(numbers), lambda index: make_input(target, seeds, seed=seed, number=numbers[index]), numbers
    )


def try_given(target: Target, inputs: Sequence[bytes]) -> Tally:
    """Try inputs that are there already."""
    return _try_all(target, len(inputs), lambda index: inputs[index], range(len(inputs)))


def _try_all(target: Target, count: int, make: Callable[[int], bytes], numbers: range) -> Tally:
    tally = Tally(target.name)
    started = time.monotonic()
    next_ = 0
    while next_ < count:
        next_ = _try_in_child(target, next_, count, make, numbers, tally)
    tally.num_inputs, tally.seconds = count, time.monotonic() - started
    return tally


def _try_in_child(
    target: Target, first: int, count: int, make: Callable[[int], bytes], numbers: range, tally: Tally
) -> int:
    """Try inputs from `first` on until all are tried or the child has ended; gives the first that is still to be tried."""
    place = mmap.mmap(-1, 8)
    _write(place, first)
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        _child(target, first, count, make, place, writing)
    os.close(writing)
    said = bytearray()
    os.set_blocking(reading, False)
    status: int | None = None
    at, since = first, time.monotonic()
    while status is None:
        said += _read_all(reading)
        now = _read(place)
        if now != at:
            at, since = now, time.monotonic()
        elif time.monotonic() - since > LONGEST_S:
            os.kill(pid, signal.SIGKILL)
            _, status = os.waitpid(pid, 0)
            data = make(at)
            tally.findings.append(Finding(target.name, numbers[at], "hang", f"longer than {LONGEST_S:g} s", data))
            _take(target, said + _read_all(reading), make, numbers, tally)
            os.close(reading)
            return at + 1
        ended, status_now = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = status_now
        else:
            time.sleep(_LOOK_S)
    said += _read_all(reading)
    os.close(reading)
    _take(target, said, make, numbers, tally)
    if os.WIFSIGNALED(status):
        at = _read(place)
        name = signal.Signals(os.WTERMSIG(status)).name
        tally.findings.append(Finding(target.name, numbers[at], "crash", f"ended by {name}", make(at)))
        return at + 1
    if os.WEXITSTATUS(status):
        at = _read(place)
        text = f"ended with exit status {os.WEXITSTATUS(status)}"
        tally.findings.append(Finding(target.name, numbers[at], "crash", text, make(at)))
        return at + 1
    return count


def _take(target: Target, said: bytes, make: Callable[[int], bytes], numbers: range, tally: Tally) -> None:
    for index, kind, text in _records(said):
        if kind == "refused":
            tally.num_refused += int(text)
        elif kind == "grown":
            tally.grown_bytes = max(tally.grown_bytes, int(text))
        else:
            tally.findings.append(Finding(target.name, numbers[index], kind, text, make(index)))


def _child(
    target: Target, first: int, count: int, make: Callable[[int], bytes], place: mmap.mmap, writing: int
) -> None:
    """Try inputs, in the child; never returns."""
    code = 1
    try:
        faulthandler.disable()
        _bound()
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        num_refused = 0
        for index in range(first, count):
            _write(place, index)
            data = make(index)
            with _folder() as folder:
                try:
                    target.attempt(data, folder)
                except target.refusals:
                    num_refused += 1
                except MemoryError:
                    _send(writing, index, "memory", f"more than {MOST_BYTES >> 30} GiB")
                except Exception as err:  # noqa: BLE001 - whatever it is, it is a finding
                    _send(writing, index, "foreign", _where(err))
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
        _send(writing, 0, "refused", str(num_refused))
        _send(writing, 0, "grown", str(grown))
        code = 0
    except BaseException:  # noqa: BLE001 - nothing of the child may go on as if it were the parent
        traceback.print_exc()
    finally:
        os._exit(code)


def _bound() -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[0])
    most = pages * os.sysconf("SC_PAGE_SIZE") + MOST_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _where(err: BaseException) -> str:
    frames = [frame for frame in traceback.extract_tb(err.__traceback__) if "/bagmill/" in frame.filename]
    last = frames[-1] if frames else traceback.extract_tb(err.__traceback__)[-1]
    said = " ".join(str(err).split())[:200]
    return f"{type(err).__name__}: {said} ({Path(last.filename).name}:{last.lineno} {last.name})"


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder in memory, made only where it is used."""
    folder = Path(tempfile.mkdtemp(prefix="bagmill-fuzz-", dir=_MEMORY))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - folders of unguessable names


def _write(place: mmap.mmap, index: int) -> None:
    place[:8] = index.to_bytes(8, sys.byteorder)


def _read(place: mmap.mmap) -> int:
    return int.from_bytes(place[:8], sys.byteorder)


def _send(writing: int, index: int, kind: str, text: str) -> None:
    record = pickle.dumps((index, kind, text))
    os.write(writing, len(record).to_bytes(4, "little") + record)


def _read_all(reading: int) -> bytes:
    found = bytearray()
    try:
        while piece := os.read(reading, 1 << 16):
            found += piece
    except BlockingIOError:
        pass
    return bytes(found)


def _records(said: bytes) -> Iterator[tuple[int, Kind | Literal["refused", "grown"], str]]:
    place = 0
    while place + 4 <= len(said):
        length = int.from_bytes(said[place : place + 4], "little")
        if place + 4 + length > len(said):
            return
        yield pickle.loads(said[place + 4 : place + 4 + length])  # noqa: S301 - our own child's
        place += 4 + length
