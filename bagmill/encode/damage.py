"""Messages that turned out to hold no value taken off a timeline: their ticks become invalid, never another message's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from bagmill.alignment import AlignedFeature, Timeline, combine_parts


def without_messages(timeline: Timeline, lost: Mapping[tuple[str, str], Sequence[int]]) -> Timeline:
    """The timeline with every tick invalid that a message without a value would have fed.

    Args:
        timeline: As aligned from time stamps alone.
        lost: (feature, part's label) → sequences of the messages whose payload could not be decoded, or says "not measured".
    """
    parts = {
        (name, label): _without(aligned, timeline, lost.get((name, label), ()))
        for (name, label), aligned in timeline.parts.items()
    }
    features = {
        name: _without(aligned, timeline, lost.get((name, ""), ())) for name, aligned in timeline.features.items()
    }
    for name in {name for name, _ in parts}:
        features[name] = combine_parts([part for (of, _), part in parts.items() if of == name], timeline.time_ns)
    return replace(timeline, features=features, parts=parts)


def _without(aligned: AlignedFeature, timeline: Timeline, sequences: Sequence[int]) -> AlignedFeature:
    if not sequences:
        return aligned
    is_hit = aligned.is_valid & (np.isin(aligned.before, sequences) | np.isin(aligned.after, sequences))
    return AlignedFeature(
        before=np.where(is_hit, -1, aligned.before),
        after=np.where(is_hit, -1, aligned.after),
        weight=np.where(is_hit, 0.0, aligned.weight),
        source_ns=np.where(is_hit, timeline.time_ns, aligned.source_ns),
        is_valid=aligned.is_valid & ~is_hit,
        is_interpolated=aligned.is_interpolated & ~is_hit,
    )
