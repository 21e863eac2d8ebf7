"""From when to when a recording lasts, by the time at which its messages were recorded."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.order import StampOrder
from bagmill.streams.index import RecordingIndex

STARTUP_NS = 1_000_000_000
"""Sensors take that long to start: what is missing of less, at either end, is nobody's loss."""
_FAR_NS = 30 * 24 * 3600 * 1_000_000_000
"""A log time further than this from the middle one is not of this recording's time: 0, or another clock's."""
_STEADY_FROM = 10
"""A channel of fewer messages that no required feature is made from does not tell how long a recording lasts."""


@dataclass(frozen=True, slots=True)
class RecordingExtent:
    """What a recording lasts, ns by the log clock, which all of its channels have."""

    start_ns: int
    end_ns: int

    @property
    def length_ns(self) -> int:
        """From the first message to the last."""
        return self.end_ns - self.start_ns

    def contains(self, log_ns: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each of some log times (N,) lies in the recording's time; those that were not set do not."""
        return (log_ns >= self.start_ns) & (log_ns <= self.end_ns)


def recording_extent(index: RecordingIndex, *, needed_topics: Collection[str]) -> RecordingExtent | None:
    """From the first to the last message; None where all were recorded at one instant or none has a log time.

    Channels of required features count from two messages on, others from ten: what was sent once, and what is told now
    and then, may have been recorded long before anything moved.
    """
    stamps = [
        stream.log_time_ns[~StampOrder.of(stream.log_time_ns).is_stray]
        for stream in index.streams
        if stream.num_messages >= (2 if stream.channel.topic in needed_topics else _STEADY_FROM)
    ]
    known = _of_this_time(np.concatenate([*stamps, np.zeros(0, dtype=np.int64)]))
    if not len(known) or known.min() == known.max():
        return None
    return RecordingExtent(int(known.min()), int(known.max()))


def _of_this_time(log_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Log times without those that were not set, and those far from the middle one."""
    known = log_ns[log_ns > 0]
    if not len(known):
        return known
    middle = int(np.partition(known, len(known) // 2)[len(known) // 2])
    return known[(known >= middle - _FAR_NS) & (known <= middle + _FAR_NS)]
