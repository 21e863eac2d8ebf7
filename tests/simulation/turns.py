"""Several processes at once: one of them runs at a time, and before any system call it may be another one's turn."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from tests.simulation.system import Process, System


class DeadlockError(AssertionError):
    """A process waits for a lock that nobody is left to give up."""


@dataclass(eq=False)
class Task:
    """One process in a thread of its own."""

    process: Process
    work: Callable[[], None]
    has_turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    is_over: bool = False
    thread: threading.Thread | None = None


class Turns:
    """Hands the turn from one process to the next, as the seed says.

    Args:
        system: The machine.
        rng: Decides.
        chance: That the turn changes before a call.
    """

    def __init__(self, system: System, rng: Random, *, chance: float) -> None:
        self._system = system
        self._rng = rng
        self._chance = chance
        self._tasks: list[Task] = []
        self._all_over = threading.Semaphore(0)

    def run(self, tasks: list[Task]) -> None:
        """Run processes until all have ended; `work` catches what they raise."""
        self._tasks = tasks
        for task in tasks:
            task.thread = threading.Thread(target=self._live, args=(task,), daemon=True)
            task.thread.start()
        self._give(self._rng.choice(tasks))
        self._all_over.acquire()
        for task in tasks:
            assert task.thread is not None
            task.thread.join()

    def may_switch(self) -> None:
        """Before a call: perhaps it is another one's turn."""
        task = self._own()
        if task is not None and self._rng.random() < self._chance:
            self._pass_on(task)

    def wait(self, what: str) -> None:
        """Let others go on, because this one cannot.

        Raises:
            DeadlockError: There are no others.
        """
        task = self._own()
        if task is None or not self._others(task):
            raise DeadlockError(f"process {self._system.process.pid} waits for ever {what}")
        self._pass_on(task)

    def _own(self) -> Task | None:
        thread = threading.current_thread()  # zarr's own thread works for whoever waits for it
        return next((task for task in self._tasks if task.thread is thread), None)

    def _others(self, task: Task) -> list[Task]:
        return [other for other in self._tasks if other is not task and not other.is_over]

    def _pass_on(self, task: Task) -> None:
        others = self._others(task)
        if others:
            self._give(self._rng.choice(others))
            task.has_turn.acquire()
            self._system.process = task.process

    def _give(self, task: Task) -> None:
        self._system.process = task.process
        task.has_turn.release()

    def _live(self, task: Task) -> None:
        task.has_turn.acquire()
        try:
            task.work()
        finally:
            task.is_over = True
            others = self._others(task)
            if others:
                self._give(self._rng.choice(others))
            else:
                self._all_over.release()
