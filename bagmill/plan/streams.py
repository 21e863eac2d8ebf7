"""Which stream feeds a part, by which clock, or why none does."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bagmill.profile import Clock, FeatureKind, PartSpec, Profile
from bagmill.recordings.differing import say_what_differs
from bagmill.streams.index import NO_STAMP, RecordingIndex, Stream

_SHOWN = 12
_WANTED = {"image": "pictures", "depth": "depth pictures", "signal": "numbers"}
_FOUND = {
    "image": "pictures (a feature called `images/…`)",
    "depth": "depth pictures (a feature called `depth/…`)",
    "numeric": "numbers (a signal: any other name, with a `field`)",
    "none": "neither pictures nor numbers",
}


def find_stream(part: PartSpec, index: RecordingIndex, *, wanted: FeatureKind) -> Stream | str:
    """The stream of a part's channel, or why it cannot feed it."""
    streams = [stream for stream in index.streams_of(part.channel) if stream.num_messages]
    if len(streams) != 1:
        return _why_no_stream(part, streams, index)
    stream = streams[0]
    content = stream.content
    if content.problem is not None:
        return f"{part.channel}: {content.problem}"
    if content.kind != ("numeric" if wanted == "signal" else wanted):
        return (
            f"{_WANTED[wanted]} are wanted of {part.channel}, but its messages ({stream.channel.schema_name}) hold "
            f"{_FOUND[content.kind]}"
        )
    return stream


def clock_of(part: PartSpec, profile: Profile) -> Clock:
    """The clock a part is laid on the timeline by: its own, `header` where it says what its stamp is, else the profile's."""
    return part.clock or ("header" if part.stamp is not None else profile.clock)


def problems_of_clock(part: PartSpec, clock: Clock, stamps_ns: NDArray[np.int64]) -> list[str]:
    """What speaks against a clock: messages without its stamps.

    Args:
        part: Of which the messages are.
        clock: That it is to be laid on the timeline by.
        stamps_ns: (M,) of its messages by that clock.
    """
    num_without = 0 if clock != "header" else int(np.count_nonzero((stamps_ns == NO_STAMP) | (stamps_ns == 0)))
    if not num_without:
        return []
    some = "" if num_without == len(stamps_ns) else f"{num_without:,} of {len(stamps_ns):,} "
    return [
        f"clock `header`, but {some}messages of {part.channel} carry no header stamps or zero ones; use clock `log`"
    ]


def _why_no_stream(part: PartSpec, streams: list[Stream], index: RecordingIndex) -> str:
    if streams:
        return f"channel {say_what_differs([stream.channel for stream in streams])}"
    if index.streams_of(part.channel):
        return f"channel {part.channel} has no messages"
    topics = sorted({stream.channel.topic for stream in index.streams if stream.num_messages})
    shown = ", ".join(topics[:_SHOWN]) + (f" and {len(topics) - _SHOWN} more" if len(topics) > _SHOWN else "")
    return f"no channel {part.channel}; the recording has {shown or 'no messages at all'}"
