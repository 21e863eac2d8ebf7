"""What a process that loads has in memory after so many samples."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from benchmarks.loader.arrays import open_dataset
from benchmarks.loader.asked import load_timelines
from benchmarks.loader.cases import LEFT, Case
from benchmarks.standing import child_processes, rss_bytes

_CASE: Final = Case("1 frame, state and action", cameras=(LEFT,), has_signals=True, horizon=16, batch_size=50)


def prepare(folder: str, points: Sequence[int], has_worker: bool) -> Callable[[], dict[str, Any]]:
    """Load random samples until the last of the points, and look at each of them.

    Args:
        folder: Of all stores.
        points: Numbers of samples, rising.
        has_worker: Whether it is a worker of `make_loader` that loads, or this process that calls `batch`.
    """
    stores = Path(folder)
    dataset = open_dataset(stores, _CASE, num_threads=1)

    def run() -> dict[str, Any]:
        batches = _from_a_worker() if has_worker else _by_itself()
        found, num_samples = {}, 0
        for point in points:
            while num_samples < point:
                next(batches)
                num_samples += _CASE.batch_size
            (loading,) = child_processes() if has_worker else (os.getpid(),)
            found[str(point)] = rss_bytes(loading)
        return {"rss_bytes": found}

    def _by_itself() -> Iterator[object]:
        return map(dataset.batch, load_timelines(stores).draw(seed=0, batch_size=_CASE.batch_size))

    def _from_a_worker() -> Iterator[object]:
        from bagmill.training.torch import make_loader  # noqa: PLC0415 - torch is not always there

        loader = make_loader(dataset, batch_size=_CASE.batch_size, num_workers=1)
        return itertools.chain.from_iterable(itertools.repeat(loader))

    return run
