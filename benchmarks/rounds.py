"""Paired measurement: contenders take turns, A B A B …, so that what the machine does meanwhile hits all of them alike."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

Sample = TypeVar("Sample")


def take_turns(contenders: Mapping[str, Callable[[], Sample]], *, num_rounds: int) -> dict[str, list[Sample]]:
    """Run every contender once a round.

    Args:
        contenders: Name → what is measured; it gives one sample (seconds, or a record of several figures).
        num_rounds: At least 5 for a figure that is to be believed.

    Returns:
        Name → its samples, one a round: those at the same place belong together.
    """
    samples: dict[str, list[Sample]] = {name: [] for name in contenders}
    for _ in range(num_rounds):
        for name, contender in contenders.items():
            samples[name].append(contender())
    return samples


@dataclass(frozen=True, slots=True)
class Spread:
    """What several samples of one figure say."""

    median: float
    low: float
    """The least of them."""
    high: float
    """The greatest of them."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        """Of at least one sample."""
        return cls(statistics.median(values), min(values), max(values))

    @property
    def percent(self) -> float:
        """From the least to the greatest, in percent of the median."""
        return 100 * (self.high - self.low) / self.median if self.median else 0.0


def paired_ratio(values: Sequence[float], to: Sequence[float]) -> Spread:
    """How many times as large as another's one contender's samples are: of the ratios within each round.

    Args:
        values: (N,) one sample a round.
        to: (N,) the other contender's, in the same rounds.
    """
    return Spread.of([value / other for value, other in zip(values, to, strict=True)])
