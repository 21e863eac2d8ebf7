"""What samples need of a store, told to it before they are read."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import layout
from bagmill.remote import Mirror, MirroredShards, ShardChunks
from bagmill.training.frame_batches import Camera
from bagmill.training.order import Batch, ShuffledBatches
from bagmill.training.selection import Selection

Ticks = Mapping[str, tuple[NDArray[np.int64], NDArray[np.bool_]]]
"""By feature: ticks (N,) or (N, K) of N samples, and whether they are inside the episode."""


class ReadAhead:
    """Announces values and shards of samples; may be shared by threads, but not by processes.

    Args:
        mirror: Where they are fetched to.
        shards: Who reads frames.
        selection: What a sample is made of.
        roots: Folders of the episodes, in the mirror.
        num_ticks: (E,) of each.
    """

    def __init__(
        self,
        mirror: Mirror,
        shards: MirroredShards,
        selection: Selection,
        *,
        roots: Sequence[str],
        num_ticks: NDArray[np.int64],
    ) -> None:
        self._mirror, self._shards, self._selection = mirror, shards, selection
        self._roots, self._num_ticks = roots, num_ticks
        self._shard_ticks = np.array([layout.shard_ticks(num) for num in num_ticks.tolist()], np.int64)
        self._announced: set[int] = set()
        """Episodes whose values were."""

    def announce(
        self, cameras: Iterable[Camera], episodes: NDArray[np.int64], ticks: Ticks, *, is_for_others: bool = False
    ) -> None:
        """Begin to fetch what samples need, without waiting for it.

        Args:
            cameras: That are read.
            episodes: (N,) of the samples.
            ticks: At least of the cameras.
            is_for_others: Another process will read it: what would only go into this one's memory is not fetched.
        """
        for episode in np.unique(episodes).tolist():
            if episode not in self._announced:
                self._announced.add(episode)
                for key in self._selection.columns:
                    self._mirror.announce(self.value_paths(episode, key))
        chunks: dict[tuple[str, int], dict[int, None]] = {}
        for camera in cameras:
            wanted, _ = ticks[camera.feature]
            of_ticks = np.repeat(episodes, wanted.size // max(1, len(wanted)))
            shards, positions = np.divmod(wanted.reshape(-1), self._shard_ticks[of_ticks])
            for episode, shard, position in zip(of_ticks.tolist(), shards.tolist(), positions.tolist(), strict=True):
                path = camera.shard_path(self._roots[episode], shard)
                chunks.setdefault((path, int(self._shard_ticks[episode])), {})[position] = None
        self._shards.announce(
            ShardChunks(path, num_chunks, () if is_for_others else tuple(of_shard))
            for (path, num_chunks), of_shard in chunks.items()
        )

    def value_paths(self, episode: int, key: str) -> list[str]:
        """Files of a column's values in an episode."""
        column = self._selection.columns[key]
        dtype = self._selection.stored_dtype(column, episode)
        return column.paths(self._roots[episode], int(self._num_ticks[episode]), dtype=dtype)


class Prefetching(Protocol):
    """A dataset that is told what it will be asked for."""

    def prefetch(self, samples: Sequence[int], *, is_for_others: bool) -> None:
        """Begin to fetch what samples need."""


class AnnouncedBatches:
    """Batches that a dataset is told of some while before they are handed out.

    Args:
        batches: Which samples.
        dataset: That will be asked for them.
        num_ahead: Batches.
        is_for_others: It is other processes that will ask.
    """

    def __init__(self, batches: ShuffledBatches, dataset: Prefetching, *, num_ahead: int, is_for_others: bool) -> None:
        self._batches, self._dataset = batches, dataset
        self._num_ahead, self._is_for_others = num_ahead, is_for_others

    @property
    def batch_size(self) -> int:
        """Of this rank."""
        return self._batches.batch_size

    def __len__(self) -> int:
        return len(self._batches)

    def __iter__(self) -> Iterator[Batch]:
        ahead: deque[Batch] = deque()
        for batch in self._batches:
            self._dataset.prefetch(batch, is_for_others=self._is_for_others)
            ahead.append(batch)
            if len(ahead) > self._num_ahead:
                yield ahead.popleft()
        yield from ahead
