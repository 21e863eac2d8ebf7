"""Messages that turned out damaged taken off a timeline: their ticks become invalid, never another message's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bagmill.alignment import AlignedFeature, Timeline


def without_damaged(timeline: Timeline, damaged: Mapping[str, Sequence[int]]) -> Timeline:
    """The timeline with every tick invalid that a damaged message would have fed.

    Args:
        timeline: As aligned from time stamps alone.
        damaged: Feature → sequences of the messages whose payload could not be decoded.
    """
    features = {
        name: _without(aligned, timeline, damaged[name]) if damaged.get(name) else aligned
        for name, aligned in timeline.features.items()
    }
    return replace(timeline, features=features)


def _without(aligned: AlignedFeature, timeline: Timeline, sequences: Sequence[int]) -> AlignedFeature:
    is_hit = aligned.is_valid & (np.isin(aligned.before, sequences) | np.isin(aligned.after, sequences))
    return AlignedFeature(
        before=np.where(is_hit, -1, aligned.before),
        after=np.where(is_hit, -1, aligned.after),
        weight=np.where(is_hit, 0.0, aligned.weight),
        source_ns=np.where(is_hit, timeline.time_ns, aligned.source_ns),
        is_valid=aligned.is_valid & ~is_hit,
        is_interpolated=aligned.is_interpolated & ~is_hit,
    )
