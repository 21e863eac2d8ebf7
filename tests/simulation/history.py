"""One history of a dataset: a seed, and all that comes of it."""

from __future__ import annotations

import errno
import shutil
from collections import Counter
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

import numpy as np

from bagmill.dataset import Dataset, load_snapshot
from bagmill.errors import BagmillError
from tests.simulation import library
from tests.simulation.faults import NONE, Faults
from tests.simulation.invariants import leftovers, violations
from tests.simulation.ledger import Ledger
from tests.simulation.processes import Ending, run, run_together
from tests.simulation.steps import Ingest, MakeSnapshot, Prune, Scene, Step, random_step, steps_at_once
from tests.simulation.system import System

_ERRORS: Final = (errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES)


@dataclass(slots=True)
class Told:
    """What became of a history."""

    seed: int
    problems: list[str]
    """What must hold and did not."""
    journal: str
    """Digest of every system call."""
    counts: Counter[str] = field(default_factory=Counter)
    trace: list[str] = field(default_factory=list)


class History:
    """A dataset from nothing to its end.

    Args:
        seed: Says everything that happens.
        num_steps: How many steps before the last, faultless run.
        is_traced: Keep every call in words.
    """

    def __init__(self, seed: int, *, is_traced: bool = False) -> None:
        self.seed = seed
        self.rng = Random(seed)
        library.warm_up()
        place = library.folder() / "history"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        self.system = System(place / "disk", Random(self.rng.random()), trace=[] if is_traced else None)
        self.system.can_exchange = self.rng.random() < 0.8
        self.system.show()
        self.scene = Scene(Dataset(place / "disk" / "dataset"), place / "recordings", Ledger(), self.rng)
        self.scene.ledger.can_exchange = self.system.can_exchange
        self.counts: Counter[str] = Counter()
        self.problems: list[str] = []

    def run(self, *, num_steps: int) -> Told:
        """Live through it, to the first thing that is wrong."""
        with library.drawings_kept():
            if self.rng.random() < 0.5:
                # Something to lose.
                self.do(Ingest(self.scene, library.Wish(library.EPISODES[0], "first", "quick")))
                self.do(MakeSnapshot(self.scene))
            for _ in range(num_steps):
                self._step()
                if self.problems:
                    break
            else:
                self._end()
        return Told(
            self.seed,
            self.problems,
            self.system.journal.hexdigest(),
            self.counts,
            self.system.trace or [],
        )

    def do(self, step: Step, *, faults: Faults = NONE) -> Ending:
        """One step by a process alone, and what must hold after it."""
        self._note(f"--- {_say(step)} {_say(faults)}\n")
        _find_out(step)
        ending = run(self.system, step.work, faults=faults)
        self._ended(step, ending)
        self._check()
        return ending

    def do_together(self, steps: list[tuple[Step, Faults]]) -> None:
        """Several steps at once."""
        self._note("".join(f"--- {_say(step)} {_say(faults)}, at once\n" for step, faults in steps))
        # Whoever looks meanwhile may find an episode as it was, or as it becomes.
        for step, _ in steps:
            _find_out(step)
            for wish in step.wishes:
                self.scene.ledger.ask(wish)
                self.scene.ledger.cut_short(wish)
        endings = run_together(self.system, [(step.work, faults) for step, faults in steps])
        self.counts["at once"] += 1
        for (step, _), ending in sorted(zip(steps, endings, strict=True), key=lambda each: bool(each[0][0].wishes)):
            self._ended(step, ending)
        self._check()

    def end(self) -> list[str]:
        """Ask for everything once more, with nothing going wrong: what comes of it must be as if nothing ever had."""
        self._end()
        return self.problems

    def _step(self) -> None:
        rng = self.rng
        if rng.random() < 0.25:
            self._note(f"--- the clock {self.system.clock.jump(rng)}\n")
        if rng.random() < 0.1:
            self._note("--- the power is cut while nothing runs\n")
            self.counts["power cuts"] += 1
            self.system.cut_power()
        if rng.random() < 0.2 and self.scene.ledger.wishes:
            self.do_together([(step, self._faults(step)) for step in steps_at_once(self.scene)])
        else:
            step = random_step(self.scene)
            self.do(step, faults=self._faults(step))

    def _faults(self, step: Step) -> Faults:
        rng = self.rng
        kind = rng.choices(("none", "kill", "power cut", "error"), (5, 3, 4, 3))[0]
        if kind in ("kill", "power cut"):
            return Faults(crash_at=rng.randint(1, step.num_changes), is_power_cut=kind == "power cut")
        if kind == "error":
            at = rng.randint(1, 2 * step.num_changes)
            return Faults(error=rng.choice(_ERRORS), error_at=at, is_lasting=rng.random() < 0.5)
        return NONE

    def _ended(self, step: Step, ending: Ending) -> None:
        self.counts[f"{type(step).__name__}"] += 1
        if ending.is_crashed:
            self.counts["power cuts" if ending.is_power_cut else "kills"] += 1
        self.counts["errors"] += ending.process.num_errors
        if ending.foreign:
            self.problems.append(f"{_say(step)}: an error that is none of bagmill's:\n{ending.foreign}")
            return
        try:
            step.ended(ending)
        except BagmillError as err:
            self.problems.append(f"{_say(step)}: what it made cannot be read: {err}")
        self.problems += [f"{_say(step)}: {each}" for each in self.scene.wrong]
        self.scene.wrong.clear()

    def _check(self) -> None:
        self.scene.ledger.just_pruned.clear()
        self.problems += violations(self.system.disk, self.scene.dataset, self.scene.ledger)

    def _end(self) -> None:
        ledger = self.scene.ledger
        for wish in list(ledger.wishes.values()):
            self.do(Ingest(self.scene, wish))
        wanted = {
            wish.episode: library.made(wish) for wish in ledger.wishes.values() if not library.made(wish).is_refused
        }
        if wanted:
            self.do(MakeSnapshot(self.scene))
            if not self.problems:
                self.problems += _differences(wanted, load_snapshot(self.scene.dataset))
        # Whoever asks for an episode sweeps what was left of it; other things wait for a prune.
        self.problems += [each for each in leftovers(self.system.disk, self.scene.dataset) if "/.staging" in each]
        self.do(Prune(self.scene))
        self.problems += leftovers(self.system.disk, self.scene.dataset)
        self.problems += [f"written around the simulated disk: {each}" for each in self.system.differences()]

    def _note(self, text: str) -> None:
        self.system.note(text)


def _find_out(step: Step) -> None:
    """Make what a step wishes on the real disk first, so that the simulated process only does its own work."""
    for wish in step.wishes:
        library.made(wish)


def _say(what: Any) -> str:
    if isinstance(what, Faults):
        return "" if what == NONE else f"with {what}"
    fields = {
        name: getattr(what, name)
        for name in ("wish", "is_forced", "name", "how", "keep_snapshots")
        if hasattr(what, name)
    }
    return f"{type(what).__name__}({', '.join(f'{name}={value}' for name, value in fields.items())})"


def _differences(wanted: dict[str, library.Made], table: Any) -> list[str]:
    """Where the rows of a snapshot are not those of a dataset made without faults."""
    found = {row["episode"]: row for row in table.to_dict("records")}
    wrong = [f"the last snapshot has {sorted(found)}, not {sorted(wanted)}"] if found.keys() != wanted.keys() else []
    for episode in found.keys() & wanted.keys():
        row, told = found[episode], wanted[episode].row
        for column in sorted((row.keys() | told.keys()) - {"recording_path"}):
            one, other = row.get(column, np.nan), told.get(column, np.nan)
            if one != other and not (one != one and other != other):  # noqa: PLR0124 - nan
                wrong.append(f"{episode}: {column} is {one}, and {other} where nothing goes wrong")
    return wrong
