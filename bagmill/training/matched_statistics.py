"""Statistics of a signal, brought to the columns of the array that they are meant for."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import TrainingError
from bagmill.normalisation import FeatureStatistics
from bagmill.training.columns import ArraySpec

_MEASURE = "Measure the snapshot that the values come from with `bagmill stats`"


@dataclass(frozen=True, slots=True)
class MatchedStatistics:
    """Which column each dimension of some statistics is, as far as the array has it."""

    dimensions: NDArray[np.intp]
    """(n,) of the statistics."""
    columns: NDArray[np.intp]
    """(n,) of the array, one a dimension."""

    def spread(self, values: tuple[float, ...], width: int) -> NDArray[np.float64]:
        """Numbers by dimension → by column, (width,); nan where a column has none."""
        spread = np.full(width, np.nan)
        spread[self.columns] = np.asarray(values, np.float64)[self.dimensions]
        return spread


def match_statistics(
    key: str, array: ArraySpec, statistics: FeatureStatistics, *, is_of_source: bool
) -> MatchedStatistics:
    """Find the columns that statistics are of: by name, or by place where there are no names.

    Args:
        key: Of the signal.
        array: Of the dataset or the mixture.
        statistics: Of the same signal.
        is_of_source: They are of one source of a mixture, which may lack some of the columns.

    Raises:
        TrainingError: They are of other columns, or in other units.
    """
    width, num = array.shape[-1], len(statistics.mean)
    if statistics.is_named != array.is_named and width and num:
        raise TrainingError(
            f"statistics of {key} are of {_called(statistics.names, statistics.is_named)}, "
            f"its values of {_called(array.names, array.is_named)}",
            remedy=_MEASURE,
        )
    if array.is_named and array.names != statistics.names:
        place_of = {name: place for place, name in enumerate(statistics.names)}
        columns = [place for place, name in enumerate(array.names) if name in place_of]
        is_complete = len(columns) == width or (is_of_source and columns)
        if not is_complete or len(place_of) < num or len({*array.names}) < width:
            raise TrainingError(
                f"statistics of {key} are of {', '.join(statistics.names)}, its values of {', '.join(array.names)}",
                remedy=_MEASURE,
            )
        dimensions = [place_of[array.names[place]] for place in columns]
    else:
        if num > width or (num < width and not is_of_source):
            raise TrainingError(f"statistics of {key} have {num} dimensions, its values {width}", remedy=_MEASURE)
        columns = dimensions = [*range(num)]
    matched = MatchedStatistics(np.array(dimensions, np.intp), np.array(columns, np.intp))
    _check_units(key, array, statistics, matched)
    return matched


def _check_units(key: str, array: ArraySpec, statistics: FeatureStatistics, matched: MatchedStatistics) -> None:
    if not array.units or not statistics.units:
        return
    for dimension, column in zip(matched.dimensions.tolist(), matched.columns.tolist(), strict=True):
        of_statistics, of_values = statistics.units[dimension], array.units[column]
        if of_statistics != of_values:
            called = array.names[column] if array.names else column
            raise TrainingError(
                f"statistics of {key} have column {called} in {of_statistics or 'no unit'}, "
                f"its values in {of_values or 'no unit'}",
                remedy=_MEASURE,
            )


def _called(names: tuple[str, ...], is_named: bool) -> str:
    return f"columns {', '.join(names)}" if is_named else "columns without names"
