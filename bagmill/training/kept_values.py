"""Signals and facts about ticks of many episodes, read when they are first asked for and kept within a bound."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.training.columns import Column

Values = NDArray[Any]
Read = Callable[[int, Column], Values]
"""Gives all ticks of an episode for a column."""


class KeptValues:
    """Rows of columns by episode and tick; may be shared by threads.

    Where everything fits the bound, it is one array a column, so that a batch is one look-up whatever its size. Where it
    does not, whole episodes are kept, and the one that was not asked for longest goes first.

    Args:
        columns: By key.
        num_ticks: int64 (E,) of every episode.
        read: How an episode's values are come by.
        max_bytes: Of all that is kept.
    """

    def __init__(
        self, columns: Mapping[str, Column], num_ticks: NDArray[np.int64], *, read: Read, max_bytes: int
    ) -> None:
        self._columns = columns
        self._num_ticks = num_ticks
        self._read = read
        self._lock = threading.Lock()
        self._tick_bytes = sum(
            int(np.prod(column.shape, dtype=np.int64)) * column.dtype.itemsize for column in columns.values()
        )
        self._max_bytes = max_bytes
        total = int(num_ticks.sum())
        self._is_whole = total * self._tick_bytes <= max_bytes
        self._starts = np.cumsum(num_ticks) - num_ticks
        # Not written to, so not yet memory.
        self._whole = (
            {key: np.empty((total, *column.shape), column.dtype) for key, column in columns.items()}
            if self._is_whole
            else {}
        )
        self._is_read = np.zeros(len(num_ticks), np.bool_)
        self._episodes: OrderedDict[int, dict[str, Values]] = OrderedDict()
        self._kept_bytes = 0

    def take(self, wanted: Mapping[str, NDArray[np.int64]], episodes: NDArray[np.int64]) -> dict[str, Values]:
        """Rows of columns.

        Args:
            wanted: Column → ticks (N,) or (N, K), all inside their episodes.
            episodes: (N,)

        Returns:
            Column → (N, *shape) or (N, K, *shape).

        Raises:
            StorageError: An episode's values cannot be read.
        """
        distinct = np.unique(episodes)
        if self._is_whole:
            self._fill(distinct)
            starts = self._starts[episodes]
            return {
                key: self._whole[key][ticks + (starts if ticks.ndim == 1 else starts[:, None])]
                for key, ticks in wanted.items()
            }
        held = {int(episode): self._episode(int(episode)) for episode in distinct}
        taken = {}
        for key, ticks in wanted.items():
            column = self._columns[key]
            rows = np.empty((*ticks.shape, *column.shape), column.dtype)
            for place, episode in enumerate(episodes.tolist()):
                rows[place] = held[episode][key][ticks[place]]
            taken[key] = rows
        return taken

    def _fill(self, episodes: NDArray[np.int64]) -> None:
        for episode in episodes[~self._is_read[episodes]].tolist():
            rows = slice(self._starts[episode], self._starts[episode] + self._num_ticks[episode])
            for key, column in self._columns.items():
                self._whole[key][rows] = self._read(episode, column)
            # Two threads may both read it: the same values twice.
            self._is_read[episode] = True

    def _episode(self, episode: int) -> dict[str, Values]:
        with self._lock:
            held = self._episodes.get(episode)
            if held is not None:
                self._episodes.move_to_end(episode)
                return held
        held = {key: self._read(episode, column) for key, column in self._columns.items()}
        with self._lock:
            if episode not in self._episodes:
                self._episodes[episode] = held
                self._kept_bytes += self._bytes_of(episode)
            while self._kept_bytes > self._max_bytes and len(self._episodes) > 1:
                gone, _ = self._episodes.popitem(last=False)
                self._kept_bytes -= self._bytes_of(gone)
        return held

    def _bytes_of(self, episode: int) -> int:
        return int(self._num_ticks[episode]) * self._tick_bytes
