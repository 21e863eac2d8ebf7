"""Episodes ingested by child processes, one for each."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Generator, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import partial

from bagmill.cores import usable_cores
from bagmill.dataset import Dataset, QuarantineEntry, put_quarantine, sweep_episode
from bagmill.errors import BagmillError
from bagmill.ingest import (
    IngestOutcome,
    IngestRequest,
    Progress,
    blank_report,
    ingest,
    name_of_failure,
    wanted_stages,
)
from bagmill.previews import prepare_encoder
from bagmill.quality import Stage
from bagmill.workers.crash import Crash, cause_of, stage_of
from bagmill.workers.memory import child_memory_bytes
from bagmill.workers.protocol import Returned
from bagmill.workers.server import Child, Server, ServerGoneError, server

Results = Generator[IngestOutcome | Crash, None, None]
Watcher = Callable[[str, Stage, int, int], None]
"""(episode, stage, done, total)."""


def ingest_in_children(
    requests: Sequence[IngestRequest],
    *,
    processes: int | None = None,
    threads: int | None = None,
    progress: Watcher | None = None,
    begun: Callable[[str], None] | None = None,
) -> Results:
    """Ingest episodes, each by a child process of its own, as `limits()` allow it; exactly one result a request.

    What a recording does to its process, a segmentation fault, a hang, all the memory there is, costs that episode: it is a
    `Crash`. Nothing is raised for a recording. Closing the iterator ends the work that is under way.

    Args:
        requests: In the order in which they are begun.
        processes: Episodes made at once; None: one a core.
        threads: Threads that encode, per episode, where a request says none; None: the cores, shared out evenly.
        progress: Called while episodes are made.
        begun: Called with an episode's name when it is begun.

    Returns:
        Results, as they come.
    """
    num_cores = usable_cores()
    num_at_once = min(processes or num_cores, len(requests))
    num_threads = threads or max(1, num_cores // max(1, num_at_once))
    waiting = deque(replace(each, num_threads=each.num_threads or num_threads) for each in requests)
    put_back: set[str] = set()
    while waiting:
        busy: dict[Child, IngestRequest] = {}
        try:
            with server() as serving:
                yield from _ingest(serving, waiting, busy, num_at_once, progress=progress, begun=begun)
        except ServerGoneError:
            for child, request in busy.items():
                if child.process or request.episode in put_back:
                    yield Crash(request.episode, "the process that starts the workers was ended.")
                else:  # it was not begun: another server may do it
                    put_back.add(request.episode)
                    waiting.append(request)


def _ingest(
    serving: Server,
    waiting: deque[IngestRequest],
    busy: dict[Child, IngestRequest],
    num_at_once: int,
    *,
    progress: Watcher | None,
    begun: Callable[[str], None] | None,
) -> Results:
    memory_bytes = child_memory_bytes(num_at_once)
    done: list[tuple[Child, IngestRequest]] = []
    while waiting or busy:
        while waiting and len(busy) < num_at_once:
            request = waiting.popleft()
            if begun is not None:
                begun(request.episode)
            told = None if progress is None else partial(progress, request.episode)
            try:
                child = serving.start(_ingest_here, request, memory_bytes=memory_bytes, told=told)
            except OSError as err:
                yield Crash(request.episode, f"no process can be started for it ({err.strerror}).")
            else:
                busy[child] = request
        # The next are begun before the last are told of: that takes a while, and they need not wait.
        yield from (_result(child, request) for child, request in done)
        done = [(child, busy.pop(child)) for child in serving.wait()] if busy else []
    yield from (_result(child, request) for child, request in done)


def _ingest_here(request: IngestRequest, *, progress: Progress) -> IngestOutcome:
    """What the child does."""
    if "preview" in wanted_stages(request):
        prepare_encoder()  # a fork, so before any thread is started
    return ingest(request, progress=progress)


def _result(child: Child, request: IngestRequest) -> IngestOutcome | Crash:
    if isinstance(child.answer, Returned):
        outcome: IngestOutcome = child.answer.value
        return outcome
    sweep_episode(Dataset(request.dataset), request.episode)
    cause = cause_of(child)
    return Crash(
        request.episode,
        cause.reason,
        cause.remedy,
        cause.details,
        cause.kind,
        stage_of(child.said),
        cause.is_passing,
        time.monotonic() - child.begun_s,
    )


def refuse_crash(request: IngestRequest, crash: Crash) -> IngestOutcome:
    """Put an episode whose process failed in quarantine, as one that was refused.

    Returns:
        Without any stage: what the process had found out is lost with it.
    """
    report, dataset = blank_report(request, requested_ns=time.time_ns()), Dataset(request.dataset)
    remedy = crash.remedy
    if crash.kind == "crashed" and crash.details:
        remedy = f"{remedy}, which is kept in {dataset.quarantine_path(request.episode)}"
    entry = QuarantineEntry(
        episode=request.episode,
        recording=str(request.recording),
        stage=crash.stage,
        reason=crash.reason,
        since_ns=report.requested_ns,
        remedy=remedy,
        is_passing=crash.is_passing,
        robot=report.robot,
        attempted=name_of_failure(request),
        kind=crash.kind,
        details=crash.details,
    )
    with suppress(BagmillError):  # the dataset cannot even be written to: the caller is told at least
        entry = put_quarantine(dataset, entry)
    return IngestOutcome(request.episode, report, entry, is_reused=False, num_seconds=crash.num_seconds)
