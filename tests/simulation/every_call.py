"""Each kind of step, interrupted at each of its system calls in turn: by a kill, a power cut, or an error."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from tests.simulation import library
from tests.simulation.faults import Faults
from tests.simulation.history import History
from tests.simulation.library import Wish
from tests.simulation.steps import Again, Curate, Ingest, MakeSnapshot, Prune, Release, Scene, Step

_FIRST: Final = Wish("run0.mcap", "first", "quick")
_OTHER: Final = Wish("run0.mcap", "first", "slow")
_SECOND: Final = Wish("run1.mcap", "first", "quick")
_REFUSED: Final = Wish("run1.mcap", "nan", "quick")


@dataclass(frozen=True, slots=True)
class Case:
    """A step, and what comes before it."""

    before: tuple[Callable[[Scene], Step], ...]
    step: Callable[[Scene], Step]


CASES: Final = {
    "first ingest": Case((), lambda scene: Ingest(scene, _FIRST)),
    "with a camera": Case((), lambda scene: Ingest(scene, Wish("run0.mcap", "first", "eyes"))),
    "forced": Case((lambda scene: Ingest(scene, _FIRST),), lambda scene: Ingest(scene, _FIRST, is_forced=True)),
    "by another profile": Case((lambda scene: Ingest(scene, _FIRST),), lambda scene: Ingest(scene, _OTHER)),
    "back to the first profile": Case(
        (lambda scene: Ingest(scene, _FIRST), lambda scene: Ingest(scene, _OTHER)), lambda scene: Ingest(scene, _FIRST)
    ),
    "all again": Case((lambda scene: Ingest(scene, _FIRST), lambda scene: Ingest(scene, _REFUSED)), Again),
    "a refusal": Case((), lambda scene: Ingest(scene, _REFUSED)),
    "a release": Case((lambda scene: Ingest(scene, _REFUSED),), lambda scene: Release(scene, _REFUSED)),
    "mended": Case((lambda scene: Ingest(scene, _REFUSED),), lambda scene: Ingest(scene, _SECOND)),
    "snapshot": Case((lambda scene: Ingest(scene, _FIRST),), MakeSnapshot),
    "next snapshot": Case(
        (lambda scene: Ingest(scene, _FIRST), MakeSnapshot, lambda scene: Ingest(scene, _SECOND)), MakeSnapshot
    ),
    "named snapshot": Case((lambda scene: Ingest(scene, _FIRST),), lambda scene: MakeSnapshot(scene, name="a")),
    "curated snapshot": Case(
        (lambda scene: Ingest(scene, _FIRST), MakeSnapshot),
        lambda scene: Curate(scene, {"splits": {"train": 0.5, "val": 0.5}, "name": "split"}),
    ),
    "prune of versions": Case(
        (lambda scene: Ingest(scene, _FIRST), lambda scene: Ingest(scene, _OTHER), MakeSnapshot), Prune
    ),
    "prune of snapshots": Case(
        (
            lambda scene: Ingest(scene, _FIRST),
            MakeSnapshot,
            lambda scene: Ingest(scene, _OTHER),
            MakeSnapshot,
        ),
        lambda scene: Prune(scene, keep_snapshots=0),
    ),
}
"""What is interrupted."""

ERRORS: Final = (errno.EIO, errno.ENOSPC, errno.EROFS, errno.EACCES)


def interrupted(case: Case, *, seed: int, faults: Faults) -> tuple[bool, list[str]]:
    """One run of a case.

    Returns:
        Whether the faults were met at all, and what was wrong: after the step, and after everything was asked for again.
    """
    history = History(seed)
    with library.drawings_kept():
        for make in case.before:
            history.do(make(history.scene))
        history.system.disk.settle()
        ending = history.do(case.step(history.scene), faults=faults)
        if not history.problems:
            history.end()
    return ending.is_crashed or ending.process.num_errors > 0, history.problems


def crashes(
    case: Case, *, is_power_cut: bool, seed: int = 0, first: int = 1, every: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """A crash before each call that changes something, until the step comes to its end; what was wrong after each."""
    at = first
    while True:
        faults = Faults(crash_at=at, is_power_cut=is_power_cut)
        is_met, problems = interrupted(case, seed=seed + at, faults=faults)
        if not is_met:
            return
        yield at, problems
        at += every


def errors(
    case: Case, *, error: int, is_lasting: bool, every: int = 1, first: int = 1
) -> Iterator[tuple[int, list[str]]]:
    """An error at each call that may fail so, until the step comes to its end; what was wrong after each."""
    at = first
    while True:
        is_met, problems = interrupted(case, seed=at, faults=Faults(error=error, error_at=at, is_lasting=is_lasting))
        if not is_met:
            return
        yield at, problems
        at += every
