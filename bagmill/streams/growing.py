"""One channel's stream while the scan is still at it."""

from __future__ import annotations

from array import array

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError
from bagmill.messages import describe, header_stamp_reader
from bagmill.messages.content import ChannelContent
from bagmill.recordings import Buffer, Channel, Fault
from bagmill.streams.index import NO_STAMP, Stream

_MAX_STAMP_NS = np.iinfo(np.int64).max
_EPOCH_CLOCK_NS = 10**17
"""March 1973: where the median log time is above, the clock counts from the Unix epoch, and 0 was never set."""


class GrowingStream:
    """Stamps and sizes in int64 buffers, 32 bytes a message.

    Args:
        channel: Whose messages are to be added.
    """

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self._content = ChannelContent(kind="none")
        self._read_stamp = header_stamp_reader(channel)
        self._num_unreadable = 0
        self._log = array("q")
        self._publish = array("q")
        self._header = array("q")
        self._size = array("q")

    def add(self, log_time_ns: int, publish_time_ns: int, data: Buffer) -> None:
        """Append one message; the first is described."""
        if not self._size:
            self._content = describe(self.channel, data)
        self._log.append(log_time_ns)
        self._publish.append(publish_time_ns)
        self._size.append(len(data))
        if self._read_stamp is None:
            return
        try:
            stamp_ns = self._read_stamp(data)
        except DecodeError:
            stamp_ns = None
        if stamp_ns is None or not NO_STAMP < stamp_ns <= _MAX_STAMP_NS:
            stamp_ns = NO_STAMP
            self._num_unreadable += 1
        self._header.append(stamp_ns)

    def finish(self) -> tuple[Stream, list[Fault]]:
        """The stream, and what is wrong with its stamps."""
        log_time_ns, publish_time_ns = _int64(self._log), _int64(self._publish)
        header_time_ns = (
            np.full(len(log_time_ns), NO_STAMP, np.int64) if self._read_stamp is None else _int64(self._header)
        )
        stream = Stream(
            channel=self.channel,
            content=self._content,
            log_time_ns=log_time_ns,
            publish_time_ns=publish_time_ns,
            header_time_ns=header_time_ns,
            size_bytes=_int64(self._size),
        )
        return stream, self._faults(stream)

    def _faults(self, stream: Stream) -> list[Fault]:
        topic, num = stream.channel.topic, stream.num_messages
        faults = []
        if self._num_unreadable:
            faults.append(
                Fault(
                    "header_stamp_unreadable",
                    f"{self._num_unreadable} of {num} messages on {topic} do not hold a readable header stamp.",
                    severity="warning",
                )
            )
        num_negative = int(np.count_nonzero((stream.log_time_ns < 0) | (stream.publish_time_ns < 0)))
        if num_negative:
            faults.append(
                Fault(
                    "stamp_out_of_range",
                    f"{num_negative} of {num} messages on {topic} are logged or published before 1970 or after 2262.",
                )
            )
        num_zero = int(np.count_nonzero(stream.log_time_ns == 0))
        if num_zero and np.median(stream.log_time_ns[stream.log_time_ns != 0]) > _EPOCH_CLOCK_NS:
            faults.append(
                Fault(
                    "log_time_unset",
                    f"{num_zero} of {num} messages on {topic} have log time 0, where the others count from 1970.",
                    severity="warning",
                )
            )
        return faults


def _int64(values: array[int]) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)
