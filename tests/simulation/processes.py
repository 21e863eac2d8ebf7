"""Runs work as processes of a simulated machine, alone or several at once, and says how each ended."""

from __future__ import annotations

import gc
import sys
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from bagmill.errors import BagmillError
from tests.simulation.faults import NONE, Faults, Killed
from tests.simulation.interception import intercepted
from tests.simulation.system import Process, System
from tests.simulation.turns import Task, Turns

Work = Callable[[], Any]


@dataclass(slots=True)
class Ending:
    """How a process ended: with a value, an error that was told, a crash, or otherwise, which never is as it should be."""

    process: Process
    value: Any = None
    error: BagmillError | None = None
    foreign: str = ""
    """Traceback of an error that is none of bagmill's."""
    is_over: bool = False
    """It has come to its end, with a value or an error."""

    @property
    def is_crashed(self) -> bool:
        """It was killed, or the power was cut."""
        return not self.is_over

    @property
    def is_power_cut(self) -> bool:
        """The machine ended with it."""
        return self.is_crashed and self.process.faults.is_power_cut


def run(system: System, work: Work, *, faults: Faults = NONE) -> Ending:
    """Run one process to its end; after a power cut the machine has started again."""
    ending = Ending(system.start(faults))
    _forget()
    with intercepted(system):
        _live(ending, work)
        _clear_away(ending)
    system.reap(ending.process)
    if ending.is_power_cut:
        system.cut_power()
    return ending


def run_together(system: System, works: Sequence[tuple[Work, Faults]], *, chance: float = 0.3) -> list[Ending]:
    """Run several processes at once; a power cut ends all of them."""
    endings = [Ending(system.start(faults)) for _, faults in works]

    def lives(ending: Ending, work: Work) -> Callable[[], None]:
        def live() -> None:
            _live(ending, work)
            _clear_away(ending)
            system.reap(ending.process)  # a lock that it held is another one's now
            if ending.is_power_cut:
                for other in endings:
                    other.process.is_dead = True

        return live

    tasks = [Task(ending.process, lives(ending, work)) for ending, (work, _) in zip(endings, works, strict=True)]
    _forget()
    system.turns = Turns(system, system.rng, chance=chance)
    try:
        with intercepted(system):
            system.turns.run(tasks)
    finally:
        system.turns = None
    if any(ending.is_power_cut for ending in endings):
        system.cut_power()
    return endings


_is_frozen = False


def _clear_away(ending: Ending) -> None:
    """What a process that was killed leaves in Python's memory goes now, while what it still does has no effect."""
    global _is_frozen  # noqa: PLW0603 - once a Python process
    if not ending.is_crashed:
        return
    if not _is_frozen:
        gc.collect()
        gc.freeze()  # modules are not looked through again: a tenth of the time
        _is_frozen = True
    gc.collect()


def _forget() -> None:
    """A new process knows nothing of what an earlier one has found out of the disk."""
    folders = sys.modules.get("bagmill.disk.folders")
    if folders is not None:
        folders._named.clear()


def _live(ending: Ending, work: Work) -> None:
    try:
        ending.value = work()
    except Killed:
        return
    except BagmillError as err:
        ending.error = err
    except Exception:  # noqa: BLE001 - whatever it is, it is told as a violation
        ending.foreign = traceback.format_exc()
    ending.is_over = not ending.process.is_dead
