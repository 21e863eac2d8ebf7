"""How many samples a second: batches are loaded until enough time has passed.

Imported in LeRobot's environment, too: nothing of bagmill here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from itertools import chain, islice
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from benchmarks.standing import pss_bytes

LEAST_BATCHES = 2


def time_calls(
    load: Callable[[NDArray[Any]], object],
    batches: Iterator[NDArray[Any]],
    *,
    seconds: float,
    before: Callable[[], None] | None = None,
) -> dict[str, Any]:
    """Samples a second of a function that loads a batch.

    Args:
        load: Takes the samples (B,).
        batches: As many as are asked for.
        seconds: After which no other batch is begun.
        before: Called before every batch, outside of the time.
    """
    num_samples, num_batches, taken, cpu = 0, 0, 0.0, 0.0
    while num_batches < LEAST_BATCHES or taken < seconds:
        samples = next(batches)
        if before is not None:
            before()
        started, cpu_started = time.perf_counter(), time.process_time()
        load(samples)
        taken += time.perf_counter() - started
        cpu += time.process_time() - cpu_started
        num_samples += len(samples)
        num_batches += 1
    return {"num_samples": num_samples, "seconds": taken, "cpu_seconds": cpu, "pss_bytes": pss_bytes()}


def time_iteration(
    batches: Iterable[object], *, batch_size: int, seconds: float, ahead: int, most: int | None = None
) -> dict[str, Any]:
    """Samples a second of something that gives batches by itself, once it is under way.

    Args:
        batches: Worked through once.
        batch_size: Of each.
        seconds: After which no other batch is waited for.
        ahead: Batches that may have been made before the first one is asked for; they are not counted.
        most: Batches after which it ends.
    """
    iterator = iter(batches)
    started = time.perf_counter()
    first = next(iterator)
    first_seconds = time.perf_counter() - started
    del first
    for _ in islice(iterator, ahead):
        pass
    num_batches, taken = 0, 0.0
    started = time.perf_counter()
    for batch in iterator:
        del batch
        num_batches += 1
        taken = time.perf_counter() - started
        if num_batches == most or (num_batches >= LEAST_BATCHES and taken >= seconds):
            break
    memory = pss_bytes()
    close = getattr(iterator, "close", None)
    if close is not None:
        close()
    return {
        "num_samples": num_batches * batch_size,
        "seconds": taken,
        "first_seconds": first_seconds,
        "pss_bytes": memory,
    }


def drop_from_cache(folder: Path) -> Callable[[], None]:
    """A function that asks the kernel to forget the pages of all files of a folder.

    Only clean pages go, so everything is written out first; in memory (tmpfs) nothing does.
    """
    os.sync()
    paths = [path for path in chain(folder.rglob("*")) if path.is_file()]

    def drop() -> None:
        for path in paths:
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
            try:
                os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
            finally:
                os.close(descriptor)

    return drop
