"""Stamps that a profile finds inside the messages, for channels whose messages carry no header."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError, PlanError
from bagmill.messages import message_decoder
from bagmill.messages.field_path import FieldPath, follow, parse_field_path
from bagmill.messages.timestamp import NANOSECONDS, SECONDS
from bagmill.messages.tree import children
from bagmill.profile import StampSpec
from bagmill.pulse import pulse
from bagmill.recordings import Recording
from bagmill.recordings.records import Buffer
from bagmill.streams.index import NO_STAMP, RecordingIndex, Stream

_UNIT_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_FASTEST_PERCENT: Final = 1.0
"""Of the messages: their delay between clock and recorder is taken for none. Not the minimum, which one wrong stamp moves."""
_LIKELY: Final = 30.0
"""How much longer or shorter than the recording its messages' own clock may run: more is another unit."""
_YEAR_NS: Final = 365 * 86_400 * 1_000_000_000
_INT64: Final = range(NO_STAMP + 1, 1 << 63)


def restamped(
    index: RecordingIndex, recording: Recording, wanted: Collection[tuple[str, StampSpec]], *, num_threads: int = 1
) -> RecordingIndex:
    """The index with the stamps that stand where a profile says.

    Stamps that count from boot are moved to the log's time by one distance for the whole recording, that of the fastest
    messages: log time is never before the stamp, but for the drift of the clocks.

    Args:
        index: Of the recording.
        recording: Open; only the channels named are read.
        wanted: (topic, where its messages' stamp is); topics without messages are passed over.
        num_threads: Threads that read ahead.

    Raises:
        PlanError: A channel has no such number, or none of its messages has.
        RecordingError: The recording cannot be read further.
    """
    readers = [
        _Reader(stream, spec) for topic, spec in wanted for stream in index.streams_of(topic) if stream.num_messages
    ]
    if not readers:
        return index
    of_channel: dict[int, list[_Reader]] = {}
    for reader in readers:
        of_channel.setdefault(reader.stream.channel.id, []).append(reader)
    for block in recording.blocks(of_channel.keys(), num_threads=num_threads):
        pulse()
        for run in block.runs.values():
            for reader in of_channel[run.channel_id]:
                reader.take(run.first_sequence, run.payloads)
    if problems := [problem for reader in readers if (problem := reader.problem) is not None]:
        raise PlanError(
            problems, path=index.path, remedy="Change `stamp` in the profile; `bagmill scan` lists the fields"
        )
    offset_ns = min((reader.boot_distance_ns for reader in readers if reader.spec.epoch == "boot"), default=None)
    own_stamps = {(reader.stream.channel.topic, reader.spec): reader.moved_by(offset_ns or 0) for reader in readers}
    return replace(index, own_stamps=own_stamps, boot_offset_ns=offset_ns)


class _Reader:
    """Reads the stamps of one channel.

    Args:
        stream: The channel's.
        spec: Where its messages' stamp is.
    """

    def __init__(self, stream: Stream, spec: StampSpec) -> None:
        self.stream = stream
        self.spec = spec
        self.stamps_ns = np.full(stream.num_messages, NO_STAMP, np.int64)
        self._unit_ns = _UNIT_NS[spec.unit]
        self._where = f"channel {stream.channel.topic}: `stamp: {{field: {spec.field}}}`"
        self._first_error: str | None = None
        self._is_number = False
        self._path: FieldPath | None = None
        try:
            self._path = parse_field_path(spec.field)
            self._decode = message_decoder(stream.channel)
        except DecodeError as err:
            self._first_error = err.problem

    @property
    def problem(self) -> str | None:
        """Why the channel has no stamps; None where it has some."""
        is_stamp = self.stamps_ns != NO_STAMP
        if not np.any(is_stamp):
            return f"{self._where}: {self._first_error or 'no message has it'}"
        if not self._is_number:
            return None  # a point in time has its unit, and a simulation's counts from where it likes
        stamps, log = self.stamps_ns[is_stamp], self.stream.log_time_ns[is_stamp]
        took, log_took = float(np.ptp(stamps.astype(np.float64))), float(np.ptp(log.astype(np.float64)))
        if min(took, log_took) > 0 and not 1 / _LIKELY < took / log_took < _LIKELY:
            fitting = _fitting_unit(took / log_took, self.spec.unit)
            return (
                f"{self._where}: by these stamps the messages took {took / 1e9:,.6g} s, by the recorder's "
                f"{log_took / 1e9:,.6g} s; `unit: {self.spec.unit}` is wrong, try {fitting}"
            )
        distance_ns = abs(float(np.median(log.astype(np.float64) - stamps.astype(np.float64))))
        if self.spec.epoch == "unix" and distance_ns > _YEAR_NS and bool((log > _YEAR_NS).all()):
            return (
                f"{self._where}: by these stamps the messages are {distance_ns / _YEAR_NS:,.1f} years from when they were "
                "recorded; they do not count from 1970: say `epoch: boot`"
            )
        return None

    @property
    def boot_distance_ns(self) -> int:
        """Log time less stamp of the fastest messages, ns."""
        is_stamp = self.stamps_ns != NO_STAMP
        distance = (self.stream.log_time_ns - self.stamps_ns)[is_stamp]
        return int(np.percentile(distance, _FASTEST_PERCENT, method="lower"))

    def moved_by(self, offset_ns: int) -> NDArray[np.int64]:
        """The stamps (N,), those that count from boot moved to the log's time."""
        if self.spec.epoch == "unix":
            return self.stamps_ns
        return np.where(self.stamps_ns == NO_STAMP, NO_STAMP, self.stamps_ns + offset_ns)

    def take(self, first_sequence: int, payloads: list[Buffer]) -> None:
        """Read the stamps of messages that follow each other."""
        if self._path is None:
            return
        for sequence, payload in enumerate(payloads, first_sequence):
            if sequence < len(self.stamps_ns):
                self.stamps_ns[sequence] = self._stamp_of(payload, self._path)

    def _stamp_of(self, payload: Buffer, path: FieldPath) -> int:
        try:
            value = follow(self._decode(payload), path)
            self._is_number = self._is_number or children(value) is None
            stamp_ns = _nanoseconds(value, self._unit_ns)
        except DecodeError as err:
            self._first_error = self._first_error or err.problem
            return NO_STAMP
        return stamp_ns if stamp_ns in _INT64 else NO_STAMP


def _fitting_unit(ratio: float, unit: str) -> str:
    """The unit by which the stamps would last as long as the recording does."""
    best = min(_UNIT_NS, key=lambda each: abs(np.log(ratio * _UNIT_NS[each] / _UNIT_NS[unit])))
    return f"`unit: {best}`"


def _nanoseconds(value: Any, unit_ns: int) -> int:
    """A number in its unit, or a point in time of the message's own format, as ns.

    Raises:
        DecodeError: It is neither.
    """
    parts = dict(children(value) or ())
    seconds = next((parts[name] for name in SECONDS if name in parts), None)
    nanoseconds = next((parts[name] for name in NANOSECONDS if name in parts), None)
    if seconds is not None and nanoseconds is not None:
        return int(seconds) * 1_000_000_000 + int(nanoseconds)
    if isinstance(value, np.generic | np.ndarray) and value.size == 1:
        value = value.item()
    if isinstance(value, int) and not isinstance(value, bool):
        return value * unit_ns
    if isinstance(value, float) and np.isfinite(value):
        return round(value * unit_ns)
    raise DecodeError(f"expected one number or a point in time, found {type(value).__name__}")
