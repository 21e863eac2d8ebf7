"""Statistics of a signal, brought to the columns of the array that they are meant for."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset import join_feature
from bagmill.errors import FeatureError, TrainingError
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
    num = len(statistics.mean)
    # What nobody says of one side is not compared.
    has_units = bool(array.units) and len(statistics.units) == num
    values = array.as_held(key) if has_units else replace(array.as_held(key), units=())
    measured = replace(
        values,
        shape=(num,),
        names=statistics.names,
        named=statistics.named,
        units=statistics.units if has_units else (),
    )
    try:
        joined = join_feature(
            {values: "the values", measured: "their statistics"}, choose=lambda *_: f"{_MEASURE[0].lower()}{_MEASURE[1:]}",
            is_union=True,
        )  # fmt: skip
    except FeatureError as err:
        raise TrainingError(f"statistics do not fit: {err.problem}", remedy=_MEASURE) from err
    of_values, of_statistics = joined.places[values], joined.places[measured]
    dimension_of = {place: dimension for dimension, place in enumerate(of_statistics.tolist())}
    found = [(dimension_of[place], column) for column, place in enumerate(of_values.tolist()) if place in dimension_of]
    is_too_wide = len(of_statistics) > len(of_values) and not any(array.named)
    if is_too_wide or not (len(found) == len(of_values) or (is_of_source and found)):
        problem = f"statistics of {key} have {len(of_statistics)} dimensions, its values {len(of_values)}"
        if any(array.named):
            problem = f"statistics of {key} are of {', '.join(measured.names)}, its values of {', '.join(values.names)}"
        raise TrainingError(problem, remedy=_MEASURE)
    dimensions, columns = np.array(found, np.intp).reshape(-1, 2).T
    return MatchedStatistics(dimensions, columns)
