"""Stamps that no recorder can have meant, by channel."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bagmill.recordings import Fault
from bagmill.streams.index import Stream

_EPOCH_CLOCK_NS = 10**17
"""March 1973: log times above count from the Unix epoch; a clock that counts from its start never gets there."""


def stamp_faults(streams: Sequence[Stream], num_unreadable: Sequence[int]) -> tuple[Fault, ...]:
    """What is wrong with the stamps of a recording.

    Args:
        streams: All of its channels.
        num_unreadable: For each of them, the messages whose header stamp could not be read.
    """
    faults: list[Fault] = []
    num_messages = sum(stream.num_messages for stream in streams)
    num_epoch = sum(int(np.count_nonzero(stream.log_time_ns > _EPOCH_CLOCK_NS)) for stream in streams)
    for stream, num_lost in zip(streams, num_unreadable, strict=True):
        of = f"of {stream.num_messages} messages on {stream.channel.topic}"
        if num_lost:
            faults.append(Fault("header_stamp_unreadable", f"{num_lost} {of} do not hold a readable header stamp."))
        num_negative = int(np.count_nonzero((stream.log_time_ns < 0) | (stream.publish_time_ns < 0)))
        if num_negative:
            faults.append(
                Fault("stamp_out_of_range", f"{num_negative} {of} are logged or published before 1970 or after 2262.")
            )
        num_zero = int(np.count_nonzero(stream.log_time_ns == 0))
        if num_zero and 2 * num_epoch > num_messages:
            faults.append(
                Fault(
                    "log_time_unset",
                    f"{num_zero} {of} have log time 0, where the recording's others count from 1970.",
                    severity="warning",
                )
            )
    return tuple(faults)
