"""Which samples show nothing but ticks that are valid: read from what episodes keep, without a picture."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import layout
from bagmill.errors import TrainingError
from bagmill.training.columns import Column

if TYPE_CHECKING:
    from bagmill.remote import Mirror
    from bagmill.training.sample_index import SampleIndex
    from bagmill.training.selection import Selection


def resolve_only_valid(only_valid: bool | Sequence[str], features: Sequence[str]) -> tuple[str, ...]:
    """The features that are meant; arguments as of `EpisodeDataset`.

    Raises:
        TrainingError: A name that is none of the features asked for.
    """
    if isinstance(only_valid, bool):
        return tuple(features) if only_valid else ()
    for name in only_valid:
        if name not in features:
            raise TrainingError(
                f"only_valid names {name}, which is not among the features asked for",
                remedy=f"They are {', '.join(features) or 'none'}",
            )
    return tuple(dict.fromkeys(only_valid))


class ValidTicks:
    """`valid/…` of some features, episode by episode.

    Args:
        selection: What a sample is made of.
        names: The features.
        roots: Folders of the episodes.
        num_ticks: (E,) of each.
        mirror: Through which they are read; None: they are files of this machine.
    """

    def __init__(
        self,
        selection: Selection,
        names: Sequence[str],
        *,
        roots: Sequence[str],
        num_ticks: NDArray[np.int64],
        mirror: Mirror | None,
    ) -> None:
        self._columns = {name: selection.columns[f"{layout.VALID}/{name}"] for name in names}
        self._roots, self._num_ticks, self._mirror = roots, num_ticks, mirror

    def leave_out_others(self, index: SampleIndex, *, is_zero_outside: bool) -> None:
        """Leave out samples that show a tick at which one of the features is not valid.

        Args:
            index: Of all samples.
            is_zero_outside: What a window shows beyond its episode is zeros by choice; else it is the first or last tick,
                which then has to be valid.

        Raises:
            StorageError: An episode is damaged, or is not there any more.
        """
        if self._mirror is not None:
            for episode in range(len(self._roots)):
                for column in self._columns.values():
                    self._mirror.announce(self._paths(episode, column))

        def is_kept(episode: int, ticks: NDArray[np.int64]) -> NDArray[np.bool_]:
            kept = np.ones(len(ticks), np.bool_)
            for name, column in self._columns.items():
                wanted, is_inside = index.ticks(name, np.full(len(ticks), episode), ticks)
                is_fine = self._read(episode, column)[wanted]
                if is_zero_outside:
                    is_fine |= ~is_inside
                kept &= is_fine.reshape(len(ticks), -1).all(axis=1)
            return kept

        index.keep_where(is_kept)

    def _paths(self, episode: int, column: Column) -> list[str]:
        return column.paths(self._roots[episode], int(self._num_ticks[episode]), dtype=column.dtype)

    def _read(self, episode: int, column: Column) -> NDArray[Any]:
        def read() -> NDArray[Any]:
            return column.read(Path(self._roots[episode]), int(self._num_ticks[episode]), dtype=column.dtype)

        return read() if self._mirror is None else self._mirror.read(self._paths(episode, column), read)
