"""Run workers that tell of episodes at the same time, each a process of its own."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy.exc import OperationalError

from benchmarks.databases.events import EpisodeEvents
from benchmarks.databases.stores import open_log

_PATIENCE_S = 600


@dataclass(frozen=True, slots=True)
class Written:
    """What writers did together."""

    latencies_ms: list[float]
    """Of every episode of every writer, rising."""
    num_refused: int
    """Episodes that the database did not take: it was locked for too long."""
    seconds: float
    """From the common start to the end of the last."""


def write_at_once(store: str, place: str, *, events: Path, num_writers: int, num_episodes: int) -> Written:
    """Have writers tell of so many episodes each.

    Args:
        store: Of `stores.STORES`.
        place: By `stores.make_place`.
        events: File of an episode's events.
        num_writers: Processes.
        num_episodes: Each.

    Raises:
        RuntimeError: A writer failed.
    """
    open_log(store, place).dispose()  # makes the tables, once
    context = multiprocessing.get_context("spawn")
    barrier, results = context.Barrier(num_writers), context.Queue()
    writers = [
        context.Process(target=_write, args=(store, place, str(events), num_episodes, barrier, results))
        for _ in range(num_writers)
    ]
    for writer in writers:
        writer.start()
    told = [results.get(timeout=_PATIENCE_S) for _ in writers]
    for writer in writers:
        writer.join()
        if writer.exitcode:
            raise RuntimeError(f"a writer of {store} ended with exit status {writer.exitcode}")
    latencies = sorted(each for latencies, _, _, _ in told for each in latencies)
    seconds = max(ended for _, _, _, ended in told) - min(started for _, _, started, _ in told)
    return Written(latencies, sum(refused for _, refused, _, _ in told), seconds)


def _write(store: str, place: str, events: str, num_episodes: int, barrier: Barrier, results: Any) -> None:
    log, run_id = open_log(store, place), str(uuid4())
    template = EpisodeEvents.from_json(Path(events).read_text(encoding="utf-8"))
    template.of("first", run_id=run_id).tell(log)  # connections and tables are there
    latencies, num_refused = [], 0
    barrier.wait()
    begun = time.time()
    for number in range(num_episodes):
        episode = template.of(f"{run_id}-{number}", run_id=run_id)
        started = time.perf_counter()
        try:
            episode.tell(log)
        except OperationalError:
            num_refused += 1
        latencies.append(1e3 * (time.perf_counter() - started))
    results.put((latencies, num_refused, begun, time.time()))
    log.dispose()
