"""A job that came to no end of its own: what is known of why, and what can be done."""

from __future__ import annotations

import os
import re
import signal
from dataclasses import dataclass
from typing import Any, Final

from bagmill.dataset import RefusalKind
from bagmill.quality import STAGES, Stage
from bagmill.workers.protocol import Failed, Raised
from bagmill.workers.server import Child, Death

_FAULTS: Final = {
    signal.SIGSEGV: "a segmentation fault",
    signal.SIGBUS: "a bus error",
    signal.SIGABRT: "an abort",
    signal.SIGFPE: "an arithmetic fault",
    signal.SIGILL: "an illegal instruction",
    signal.SIGSYS: "a forbidden system call",
    signal.SIGTRAP: "a trap",
}
"""Signals that a process brings upon itself; every other comes from outside."""
_SHORT_OF_MEMORY: Final = re.compile("bad_alloc|MemoryError|[Cc]annot allocate memory|[Oo]ut of memory")
_NEARLY: Final = 0.75
"""Of its memory: stacks and reserves of threads are counted, and not all of them are used."""
_REPORT: Final = "If the recording is sound, report it as a fault of bagmill, with what is known of it"


@dataclass(frozen=True, slots=True)
class Crash:
    """An episode that was not ingested because its process failed."""

    episode: str
    reason: str
    """One sentence: the exception, or what ended the process."""
    remedy: str | None = None
    """What can be done about it."""
    details: str = ""
    """The traceback, or what the process has written at last, where there is any."""
    kind: RefusalKind = "killed"
    stage: Stage = "recording"
    """What was under way."""
    is_passing: bool = True
    """It may well go the next time: it was ended from outside."""
    num_seconds: float = 0.0
    """That it took."""


@dataclass(frozen=True, slots=True)
class Cause:
    """Why a job failed."""

    kind: RefusalKind
    reason: str
    """One sentence."""
    remedy: str | None
    details: str
    """The traceback, or what the process wrote at last."""
    is_passing: bool = False


def cause_of(child: Child) -> Cause:
    """Tell why a child's job failed.

    Args:
        child: Done, without a value.
    """
    match child.answer:
        case Failed() as failed:
            return _of_exception(failed, child)
        case Raised(error):
            return _of_exception(Failed(type(error).__name__, str(error), "", False, False), child)
        case Death() as death:
            return _of_death(death, child)
    raise AssertionError("a job that came to its end has no cause of failure")


def stage_of(said: tuple[Any, ...]) -> Stage:
    """The stage that was under way, by the last step of an ingest's progress."""
    return next((stage for stage in STAGES if said[:1] == (stage,)), STAGES[0])


def _of_exception(failed: Failed, child: Child) -> Cause:
    at, details = _at(child.said), failed.traceback
    if failed.is_out_of_memory:
        return _out_of_memory(child, details)
    if failed.is_too_deep:
        reason = f"what it holds is nested too deeply to be followed (RecursionError){at}."
        return Cause("crashed", reason, _REPORT, details)
    message = f": {failed.message.rstrip('.')}" if failed.message else ""
    remedy = "Report it as a fault of bagmill, with the traceback"
    return Cause("crashed", f"bagmill failed with {failed.kind}{message}.", remedy, details)


def _of_death(death: Death, child: Child) -> Cause:
    details = child.written
    if death.silent_s is not None:
        return _of_silence(death, child, details)
    code = os.waitstatus_to_exitcode(death.status)
    number = signal.Signals(-code) if code < 0 else None
    if number is None or number in _FAULTS:
        if _SHORT_OF_MEMORY.search(details) or death.most_bytes > _NEARLY * child.job.memory_bytes:
            return _out_of_memory(child, details)
        how = f"ended with exit status {code}" if number is None else f"crashed with {_FAULTS[number]} ({number.name})"
        return Cause("crashed", f"its worker process {how}{_at(child.said)}.", _REPORT, details)
    ended = f"its worker process was ended by {number.name}"
    if number != signal.SIGKILL:
        return Cause("killed", f"{ended}.", None, details, is_passing=True)
    if not death.was_short_of_memory:
        remedy = "The machine may be out of memory: try fewer processes"
        return Cause("killed", f"{ended}.", remedy, details, is_passing=True)
    remedy = "Try fewer episodes at once, or a machine with more memory"
    return Cause("out of memory", f"{ended} while the machine ran out of memory.", remedy, details, is_passing=True)


def _of_silence(death: Death, child: Child, details: str) -> Cause:
    doing, remedy = "waited", "Look whether the disks of recordings and dataset answer; it is tried again"
    if death.was_busy:
        doing = "computed"
        remedy = "If such a recording takes that long, set a higher `episode_silent_s` under `limits` (docs/limits.md)"
    reason = f"made no progress for {child.job.limits.episode_silent_s:g} s, in which it {doing}{_at(child.said)}."
    return Cause("hung", reason, remedy, details, is_passing=not death.was_busy)


def _out_of_memory(child: Child, details: str) -> Cause:
    memory_bytes = child.job.memory_bytes
    remedy = "Try fewer episodes at once, or a machine with more memory: they share what there is"
    if memory_bytes >= child.job.limits.episode_memory_bytes:
        remedy = "If such a recording needs it, set a higher `episode_memory_bytes` under `limits` (docs/limits.md)"
    reason = f"needed more than {memory_bytes / (1 << 30):.3g} GiB of memory{_at(child.said)}."
    return Cause("out of memory", reason, remedy, details)


def _at(said: tuple[Any, ...]) -> str:
    """Where it was, by the last step of its progress; empty where it said none."""
    match said:
        case (str(step), int(done), int(total)) if total:
            return f", at {step}, {done:,} of {total:,} done"
        case (str(step), int(done), int()):
            return f", at {step}, {done:,} done" if done else f", at {step}"
        case (int(done), int(total)):
            return f", {done:,} of {total:,} done"
    return ""
