"""A clock that goes as the simulation says: it may stand still, and jump either way."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Final

START_NS: Final = 1_750_000_000_000_000_000
_HOUR_NS: Final = 3_600_000_000_000
_YEAR_NS: Final = 365 * 24 * _HOUR_NS
JUMPS_NS: Final = (-_YEAR_NS, _YEAR_NS, -_HOUR_NS, 7 * _HOUR_NS, -1_000_000, 0)


@dataclass(slots=True)
class Clock:
    """What processes are told of the time."""

    now_ns: int = START_NS
    step_ns: int = 1_000_000
    """By how much it goes on each time it is asked; 0: it stands still."""
    running_ns: int = 0
    """The clock that only ever rises, of which durations are taken."""

    def time_ns(self) -> int:
        """Wall clock time, ns since the Unix epoch."""
        self.now_ns += self.step_ns
        return self.now_ns

    def perf_counter(self) -> float:
        """Seconds that only ever rise."""
        self.running_ns += 1_000_000
        return self.running_ns / 1e9

    def jump(self, rng: Random) -> str:
        """Jump, or stand still from now on, or go on; says what it did."""
        by_ns = rng.choice(JUMPS_NS)
        self.now_ns += by_ns
        self.step_ns = 0 if by_ns == 0 and self.step_ns else 1_000_000
        return f"by {by_ns / 1e9:g} s" if by_ns else ("stands still" if not self.step_ns else "goes on")
