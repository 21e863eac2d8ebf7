"""A signal's values → its statistics, exact."""

from __future__ import annotations

from types import TracebackType
from typing import Any, Self

import numpy as np

from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.normalisation.moments import Moments
from bagmill.normalisation.quantiles import exact_quantiles
from bagmill.normalisation.spool import Spool
from bagmill.normalisation.statistics import QUANTILES, FeatureStatistics


class SignalMeter:
    """A context manager that takes in a signal episode by episode.

    Args:
        name: The feature's.
        width: D, the largest of any episode.
        dtype: float32 or float64.
        max_bytes: Of values kept in memory.
    """

    def __init__(self, name: str, width: int, dtype: np.dtype[Any], *, max_bytes: int) -> None:
        self._name = name
        self._width = width
        self._moments = Moments(width)
        self._spool = Spool(width, dtype, max_bytes=max_bytes)
        self._num_ticks = 0
        self._names: tuple[str, ...] = ()
        self._unit = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.__exit__(kind, error, trace)

    def add(self, episode: Episode) -> None:
        """Take in an episode's valid ticks.

        Raises:
            StorageError: It lacks the feature, has it in another form than its snapshot says, or is damaged.
        """
        values = episode.signal(self._name)[episode.valid(self._name)]
        if values.shape[1] > self._width or not np.can_cast(values.dtype, self._spool.dtype):
            raise StorageError(
                f"{self._name} is {values.dtype} of {values.shape[1]} dimensions, which its snapshot does not say",
                path=episode.path,
                remedy="Verify the episode, and make the snapshot again",
            )
        self._moments.add(values)
        self._spool.append(values)
        self._num_ticks += len(values)
        attributes = episode.features[self._name].attributes
        names = tuple(map(str, attributes.get("names") or ()))
        if len(names) == values.shape[1] > len(self._names):
            self._names = names
        self._unit = self._unit or str(attributes.get("units") or "")

    def result(self) -> FeatureStatistics:
        """Of all that was taken in; goes through the values a few times.

        Raises:
            StorageError: The temporary file cannot be read.
        """
        moments = self._moments
        try:
            quantiles = exact_quantiles(self._spool.blocks, QUANTILES, dtype=self._spool.dtype, count=moments.count)
        except OSError as err:
            raise StorageError(f"a temporary file cannot be read ({err.strerror})") from err
        has_none = moments.count == 0
        others = tuple(str(place) for place in range(len(self._names), self._width))
        return FeatureStatistics(
            kind="signal",
            names=(*self._names, *others),
            unit=self._unit,
            scale_m=None,
            num_ticks=self._num_ticks,
            count=tuple(moments.count.tolist()),
            num_left_out=tuple(moments.num_left_out.tolist()),
            mean=tuple(moments.mean.tolist()),
            std=tuple(moments.std.tolist()),
            min=tuple(np.where(has_none, np.nan, moments.min).tolist()),
            max=tuple(np.where(has_none, np.nan, moments.max).tolist()),
            quantiles={str(fraction): tuple(row.tolist()) for fraction, row in zip(QUANTILES, quantiles, strict=True)},
        )
