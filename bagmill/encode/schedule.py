"""Which message of a stream feeds which ticks: a timeline turned round, so that one linear pass can follow it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.timeline import AlignedFeature


@dataclass(frozen=True, slots=True)
class FrameSchedule:
    """For every message of a stream, the ticks that show its frame."""

    # Lists: asked for every message, and an item of an array costs ten times as much.
    _ticks: list[int]
    """Valid ticks ordered by the message behind them, then by tick."""
    _first: list[int]
    """N + 1 places: where each message's ticks begin in `_ticks`."""

    @classmethod
    def of(cls, aligned: AlignedFeature, *, num_messages: int) -> FrameSchedule:
        """Turn one feature's alignment round."""
        ticks = np.flatnonzero(aligned.is_valid)
        rows = aligned.before[ticks]
        order = np.argsort(rows, kind="stable")
        first = np.searchsorted(rows[order], np.arange(num_messages + 1))
        return cls(ticks[order].tolist(), first.tolist())

    def ticks_of(self, sequence: int) -> list[int]:
        """Ticks that message number `sequence` feeds, rising; empty where no tick uses it."""
        if sequence + 1 >= len(self._first):
            # The recording has grown since it was scanned: whoever publishes finds that out.
            return []
        return self._ticks[self._first[sequence] : self._first[sequence + 1]]


def used_messages(aligned: AlignedFeature, *, num_messages: int) -> NDArray[np.bool_]:
    """(N,) True for every message that a tick is made from, as left or as right neighbour."""
    used = np.zeros(num_messages, dtype=np.bool_)
    used[aligned.before[aligned.is_valid]] = True
    used[aligned.after[aligned.is_valid]] = True
    return used


def audited_ticks(aligned: AlignedFeature, *, num_frames: int) -> frozenset[int]:
    """Ticks to audit: `num_frames` valid ones, evenly spread from the first to the last."""
    valid = np.flatnonzero(aligned.is_valid)
    if not len(valid):
        return frozenset()
    places = np.linspace(0, len(valid) - 1, min(num_frames, len(valid)))
    return frozenset(valid[np.round(places).astype(np.int64)].tolist())
