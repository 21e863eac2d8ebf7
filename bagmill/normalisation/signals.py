"""A signal's values → its statistics, exact."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import numpy as np

from bagmill.dataset import HeldFeature, JoinedFeature
from bagmill.episodes import Episode
from bagmill.errors import StorageError
from bagmill.normalisation.moments import Moments
from bagmill.normalisation.quantiles import exact_quantiles
from bagmill.normalisation.spool import Spool
from bagmill.normalisation.statistics import QUANTILES, FeatureStatistics


class SignalMeter:
    """A context manager that takes in a signal episode by episode.

    Args:
        joined: The signal, as all episodes together have it.
        max_bytes: Of values kept in memory.
    """

    def __init__(self, joined: JoinedFeature, *, max_bytes: int) -> None:
        self._joined = joined
        (self._width,) = joined.held.shape
        self._moments = Moments(self._width)
        self._spool = Spool(self._width, joined.held.dtype, max_bytes=max_bytes)
        self._num_ticks = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._spool.__exit__(kind, error, trace)

    def add(self, episode: Episode, held: HeldFeature) -> None:
        """Take in an episode's valid ticks.

        Args:
            episode: Whose.
            held: How it has the signal, as its snapshot says.

        Raises:
            StorageError: It lacks the feature, has it in another form than its snapshot says, or is damaged.
        """
        values = episode.signal(held.name)[episode.valid(held.name)]
        if values.shape[1:] != held.shape or not np.can_cast(values.dtype, self._spool.dtype):
            raise StorageError(
                f"{held.name} is {values.dtype} of {values.shape[1]} dimensions, which its snapshot does not say",
                path=episode.path,
                remedy="Verify the episode, and make the snapshot again",
            )
        places = self._joined.places[held]
        self._moments.add(values, places=places)
        self._spool.append(values, places=places)
        self._num_ticks += len(values)

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
        held = self._joined.held
        return FeatureStatistics(
            kind="signal",
            names=held.names or tuple(map(str, range(self._width))),
            unit=(held.units[0] if len({*held.units}) == 1 else None) or "",
            scale_m=None,
            num_ticks=self._num_ticks,
            count=tuple(moments.count.tolist()),
            num_left_out=tuple(moments.num_left_out.tolist()),
            mean=tuple(moments.mean.tolist()),
            std=tuple(moments.std.tolist()),
            min=tuple(np.where(has_none, np.nan, moments.min).tolist()),
            max=tuple(np.where(has_none, np.nan, moments.max).tolist()),
            quantiles={str(fraction): tuple(row.tolist()) for fraction, row in zip(QUANTILES, quantiles, strict=True)},
            named=held.named,
            units=held.units,
        )
