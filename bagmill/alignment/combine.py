"""Several parts of one feature on one timeline → the feature's own alignment."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bagmill.alignment.timeline import AlignedFeature


def combine_parts(parts: Sequence[AlignedFeature], ticks_ns: NDArray[np.int64]) -> AlignedFeature:
    """The alignment of a feature that several parts feed: at every tick that of the part whose message is furthest from it.

    Args:
        parts: At least one, each (T,).
        ticks_ns: (T,)

    Returns:
        Valid where all parts are, interpolated where any of them is.
    """
    is_valid = np.logical_and.reduce([part.is_valid for part in parts])
    skew = np.stack([np.abs(part.source_ns - ticks_ns) for part in parts])
    furthest = np.argmax(skew, axis=0)

    def chosen(column: str) -> NDArray[np.int64]:
        columns = np.stack([getattr(part, column) for part in parts])
        return np.asarray(np.take_along_axis(columns, furthest[np.newaxis], axis=0)[0])

    return AlignedFeature(
        before=np.where(is_valid, chosen("before"), -1),
        after=np.where(is_valid, chosen("after"), -1),
        weight=np.where(is_valid, chosen("weight"), 0.0),
        source_ns=np.where(is_valid, chosen("source_ns"), ticks_ns),
        is_valid=is_valid,
        is_interpolated=np.logical_or.reduce([part.is_interpolated for part in parts]) & is_valid,
    )


def in_stream(aligned: AlignedFeature, rows: NDArray[np.int64]) -> AlignedFeature:
    """An alignment over some of a stream's messages, told by their rows in the whole stream.

    Args:
        aligned: Over the messages chosen, counted from 0.
        rows: (M,) of these messages in the stream.
    """

    def of(places: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(places >= 0, rows[np.maximum(places, 0)], -1) if len(rows) else places

    return AlignedFeature(
        before=of(aligned.before),
        after=of(aligned.after),
        weight=aligned.weight,
        source_ns=aligned.source_ns,
        is_valid=aligned.is_valid,
        is_interpolated=aligned.is_interpolated,
    )
