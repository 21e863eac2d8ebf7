"""A snapshot's table → sums, spreads and outliers: numbers over all episodes of a dataset."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset.snapshot_table import QUALITY_PREFIX
from bagmill.quality.metric import Direction
from bagmill.quality.metrics import METRICS

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

_MOST_DEVIATIONS: Final = 5.0
_LEAST_IN_GROUP: Final = 8
"""Episodes with a number: fewer say too little of what is usual."""
_LEAST_DEVIATION: Final = 0.01
"""Of the median: what differs by less than a twentieth is not unusual, however alike the others are."""
_MEAN_TO_MEDIAN: Final = 1.2533 / 1.4826
"""The median absolute deviation of normally distributed values, by their mean absolute deviation."""


@dataclass(frozen=True, slots=True)
class Totals:
    """Sums over some episodes."""

    num_episodes: int = 0
    num_frames: int = 0
    duration_s: float = 0.0
    raw_bytes: int = 0
    """Of the recordings."""
    stored_bytes: int = 0
    """Of the episodes."""


@dataclass(frozen=True, slots=True)
class GroupTotals:
    """Sums over the episodes that have something in common."""

    names: tuple[str, ...]
    """What they have in common: a robot's name, a robot's and a task's."""
    totals: Totals


@dataclass(frozen=True, slots=True)
class Spread:
    """How the values of one measure are spread over some episodes."""

    num: int
    """Episodes that have a value."""
    low: float
    """5th percentile."""
    median: float
    high: float
    """95th percentile."""
    unit: str


@dataclass(frozen=True, slots=True)
class Measure:
    """Something that every episode has one number of."""

    name: str
    unit: str
    direction: Direction | None
    """Which values are good; None: those that are usual."""


@dataclass(frozen=True, slots=True)
class Outlier:
    """An episode whose number is beyond what is usual among the episodes of its profile."""

    episode: str
    version: str
    profile: str
    measure: str
    unit: str
    value: float
    limit: float
    """The one it is beyond."""
    num_deviations: float
    """How many median absolute deviations it is from the median; inf where it is no finite number."""


Measures = dict[str, tuple[Measure, NDArray[np.float64]]]
"""By name, each with its values (N,)."""

_Column = Callable[["pd.DataFrame"], NDArray[np.float64]]
_OF_SIZE: Final[dict[str, tuple[str, _Column]]] = {
    "duration": ("s", lambda table: _floats(table["duration_s"])),
    "frame_size": ("bytes", lambda table: _ratio(table["stored_bytes"], table["num_frames"])),
    "recording_to_stored": ("ratio", lambda table: _ratio(table["raw_bytes"], table["stored_bytes"])),
}


def total(table: pd.DataFrame) -> Totals:
    """Sums over a snapshot's rows."""
    return Totals(
        num_episodes=len(table),
        num_frames=int(table["num_frames"].sum()),
        duration_s=float(table["duration_s"].sum()),
        raw_bytes=int(table["raw_bytes"].sum()),
        stored_bytes=int(table["stored_bytes"].sum()),
    )


def total_by(table: pd.DataFrame, columns: Sequence[str]) -> tuple[GroupTotals, ...]:
    """Sums over a snapshot's rows by what stands in some columns of text, those with the most time first."""
    groups = [
        GroupTotals(tuple(str(name) for name in names), total(rows))
        for names, rows in table.groupby(list(columns), dropna=False)
    ]
    return tuple(sorted(groups, key=lambda group: (-group.totals.duration_s, group.names)))


def measures(table: pd.DataFrame) -> Measures:
    """What a snapshot has numbers of, by name: sizes and times first, then every metric's worst value.

    Returns:
        Each with its values, (N,), in the order of the rows; nan where an episode has none.
    """
    found = {name: (Measure(name, unit, None), values_of(table)) for name, (unit, values_of) in _OF_SIZE.items()}
    for column in table.columns:
        if column.startswith(QUALITY_PREFIX):
            name = column.removeprefix(QUALITY_PREFIX)
            metric = METRICS[name] if name in METRICS else None  # noqa: SIM401 - a registry has no `get`
            measure = Measure(name, metric.unit if metric else "", metric.direction if metric else None)
            found[name] = measure, _floats(table[column])
    return found


def find_spreads(table: pd.DataFrame, *, measured: Measures | None = None) -> dict[str, Spread]:
    """How everything that a snapshot has numbers of is spread, by the measure's name; what no episode has is left out.

    Args:
        table: The snapshot's rows.
        measured: Their `measures`, where somebody has them already.
    """
    measured = measures(table) if measured is None else measured
    found = {name: _spread(values, measure.unit) for name, (measure, values) in measured.items()}
    return {name: each for name, each in found.items() if each is not None}


def _spread(values: NDArray[np.float64], unit: str) -> Spread | None:
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    # The nearest values, not something between two: one of them may be infinite.
    low, median, high = np.percentile(known, (5, 50, 95), method="nearest")
    return Spread(len(known), float(low), float(median), float(high), unit)


def usual_range(values: NDArray[np.float64]) -> tuple[float, float] | None:
    """Median ± 5 median absolute deviations; None where fewer than eight values are finite.

    Where more than half of the values are the same, the mean absolute deviation stands in, and none is taken for less than
    a hundredth of the median: so no value within a twentieth of the median is ever beyond.
    """
    finite = values[np.isfinite(values)]
    if len(finite) < _LEAST_IN_GROUP:
        return None
    median, deviation = _middle(finite)
    return median - _MOST_DEVIATIONS * deviation, median + _MOST_DEVIATIONS * deviation


def find_outliers(table: pd.DataFrame, *, measured: Measures | None = None) -> list[Outlier]:
    """Episodes beyond the usual range of their profile's episodes, the farthest first.

    Of a metric only the bad side counts. What is usual is asked for each profile by itself, for profiles differ in rates
    and quality.

    Args:
        table: A snapshot's rows.
        measured: Their `measures`, where somebody has them already.
    """
    measured = measures(table) if measured is None else measured
    found = []
    profiles = table["profile"].to_numpy(dtype=object)
    for measure, values in measured.values():
        for profile in sorted(set(profiles)):
            rows = np.flatnonzero(profiles == profile)
            for place, limit, num_deviations in _beyond(values[rows], measure.direction):
                row = rows[place]
                found.append(
                    Outlier(
                        episode=str(table["episode"].iloc[row]),
                        version=str(table["version"].iloc[row]),
                        profile=str(profile),
                        measure=measure.name,
                        unit=measure.unit,
                        value=float(values[row]),
                        limit=limit,
                        num_deviations=num_deviations,
                    )
                )
    return sorted(found, key=lambda each: (-each.num_deviations, each.episode, each.measure))


def _beyond(values: NDArray[np.float64], direction: Direction | None) -> list[tuple[int, float, float]]:
    """Places of the values beyond, each with its limit and its distance."""
    limits = usual_range(values)
    if limits is None:
        return []
    low, high = limits
    median, deviation = (low + high) / 2, (high - low) / (2 * _MOST_DEVIATIONS)
    is_low = values < low if direction != "lower" else np.zeros(len(values), bool)
    is_high = values > high if direction != "higher" else np.zeros(len(values), bool)
    return [
        (
            int(place),
            low if is_low[place] else high,
            abs(float(values[place]) - median) / deviation if deviation else float("inf"),
        )
        for place in np.flatnonzero(is_low | is_high)
    ]


def _middle(finite: NDArray[np.float64]) -> tuple[float, float]:
    """Median, and median absolute deviation or what stands in for it."""
    median = float(np.median(finite))
    distances = np.abs(finite - median)
    deviation = float(np.median(distances)) or _MEAN_TO_MEDIAN * float(distances.mean())
    return median, max(deviation, _LEAST_DEVIATION * abs(median))


def _floats(column: Any) -> NDArray[np.float64]:
    values: NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    return values


def _ratio(above: Any, below: Any) -> NDArray[np.float64]:
    """Quotients; nan where there is nothing to divide by."""
    divisor = _floats(below)
    quotient: NDArray[np.float64] = np.divide(
        _floats(above), divisor, out=np.full(len(divisor), np.nan), where=divisor > 0
    )
    return quotient
