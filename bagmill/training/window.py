"""Which ticks around a sample's own tick belong to it: past observations, future actions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import TrainingError

TOLERANCE_S: Final = 1e-3
"""How far from a tick an offset in seconds may lie, unless it is said."""


@dataclass(frozen=True, slots=True)
class Window:
    """Offsets from a sample's tick, either all in ticks or all in seconds.

    `Window((-1, 0))` is the tick before and the tick itself. `Window(seconds=(-0.1, 0.0))` is the same at 10 Hz, and
    ticks −3 and 0 at 30 Hz: one window fits episodes of several rates.
    """

    ticks: tuple[int, ...] = ()
    """In the order in which they stand in the sample; empty where `seconds` are given."""
    seconds: tuple[float, ...] = ()
    tolerance_s: float = TOLERANCE_S
    """How far from an episode's nearest tick an offset in seconds may lie."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "ticks", tuple(map(_whole, self.ticks)))
        object.__setattr__(self, "seconds", tuple(float(offset) for offset in self.seconds))
        if bool(self.ticks) == bool(self.seconds):
            raise TrainingError(
                "a window has offsets in ticks or in seconds, one of them and at least one",
                remedy="Write Window((-1, 0)) or Window(seconds=(-0.1, 0.0))",
            )
        if not self.tolerance_s >= 0 or not np.isfinite(self.seconds).all():
            raise TrainingError("a window's seconds are finite and its tolerance is not negative")

    @classmethod
    def history(cls, num_ticks: int) -> Self:
        """The sample's tick and those before it, so many in all, the oldest first."""
        return cls(tuple(range(1 - _at_least_one(num_ticks, "history"), 1)))

    @classmethod
    def horizon(cls, num_ticks: int) -> Self:
        """The sample's tick and those after it, so many in all."""
        return cls(tuple(range(_at_least_one(num_ticks, "horizon"))))

    @property
    def num_steps(self) -> int:
        """K: how many values of a feature a sample has."""
        return len(self.ticks or self.seconds)

    def offsets(self, rate_hz: float) -> NDArray[np.int64]:
        """Offsets in ticks (K,) in an episode of this rate.

        Raises:
            TrainingError: An offset in seconds falls between the ticks.
        """
        if self.ticks:
            return np.array(self.ticks, np.int64)
        wanted = np.array(self.seconds) * rate_hz
        offsets = np.rint(wanted)
        distance_s = np.abs(offsets - wanted) / rate_hz
        worst = int(distance_s.argmax())
        # A nanosecond on top: what is exactly the tolerance must not fail by the last digit of a float.
        if distance_s[worst] > self.tolerance_s + 1e-9:
            raise TrainingError(
                f"the offset {self.seconds[worst]:g} s falls between the ticks of an episode of {rate_hz:g} Hz: the "
                f"nearest is {1e3 * distance_s[worst]:.3g} ms away, {1e3 * self.tolerance_s:g} ms are allowed",
                remedy="Choose multiples of the ticks' distance, a larger tolerance_s, or episodes by `where`",
            )
        return offsets.astype(np.int64)

    def as_json(self) -> dict[str, Any]:
        """Plain values; `Window(**…)` gives the window back."""
        if self.ticks:
            return {"ticks": list(self.ticks)}
        return {"seconds": list(self.seconds), "tolerance_s": self.tolerance_s}


def _whole(tick: int) -> int:
    if int(tick) != tick:
        raise TrainingError(
            f"a window's ticks are whole numbers, found {tick}", remedy="Or are they Window(seconds=…)?"
        )
    return int(tick)


def _at_least_one(num_ticks: int, noun: str) -> int:
    if int(num_ticks) != num_ticks:
        raise TrainingError(f"expected a {noun} of whole ticks, found {num_ticks}", remedy="Of seconds, give `windows`")
    if num_ticks < 1:
        raise TrainingError(f"expected a {noun} of at least one tick, found {num_ticks}")
    return int(num_ticks)
