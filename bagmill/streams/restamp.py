"""Stamps that a profile finds inside the messages, for channels whose messages carry no header."""

from __future__ import annotations

from collections.abc import Mapping
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
from bagmill.recordings import Recording
from bagmill.recordings.records import Buffer
from bagmill.streams.index import NO_STAMP, RecordingIndex, Stream

_UNIT_NS: Final = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1_000, "ns": 1}
_FASTEST_PERCENT: Final = 1.0
"""Of the messages: their delay between clock and recorder is taken for none. Not the minimum, which one wrong stamp moves."""
_INT64: Final = range(NO_STAMP + 1, 1 << 63)


def restamped(
    index: RecordingIndex, recording: Recording, stamps: Mapping[str, StampSpec], *, num_threads: int = 1
) -> RecordingIndex:
    """The index with header stamps read from where the profile says they are.

    Stamps that count from boot are moved to the log's time by one distance for the whole recording, that of the fastest
    messages: log time is never before the stamp, but for the drift of the clocks.

    Args:
        index: Of the recording.
        recording: Open; only the channels named are read.
        stamps: Topic → where its messages' stamp is.
        num_threads: Threads that read ahead.

    Raises:
        PlanError: A channel has no such number, or none of its messages has.
        RecordingError: The recording cannot be read further.
    """
    wanted = {
        stream.channel.id: stamps[stream.channel.topic]
        for stream in index.streams
        if stream.channel.topic in stamps and stream.num_messages
    }
    if not wanted:
        return index
    found = _read(index, recording, wanted, num_threads=num_threads)
    offset_ns = _boot_offset(index, wanted, found)
    streams = tuple(
        replace(stream, header_time_ns=_moved(found[stream.channel.id], wanted[stream.channel.id], offset_ns))
        if stream.channel.id in wanted
        else stream
        for stream in index.streams
    )
    return replace(index, streams=streams, boot_offset_ns=offset_ns)


def _read(
    index: RecordingIndex, recording: Recording, wanted: Mapping[int, StampSpec], *, num_threads: int
) -> dict[int, NDArray[np.int64]]:
    readers = {channel_id: _Reader(index.streams[channel_id], spec) for channel_id, spec in wanted.items()}
    for block in recording.blocks(readers.keys(), num_threads=num_threads):
        for run in block.runs.values():
            readers[run.channel_id].take(run.first_sequence, run.payloads)
    if problems := [problem for reader in readers.values() if (problem := reader.problem) is not None]:
        raise PlanError(
            problems, path=index.path, remedy="Change `stamp` in the profile; `bagmill scan` lists the fields"
        )
    return {channel_id: reader.stamps_ns for channel_id, reader in readers.items()}


class _Reader:
    """Reads the stamps of one channel."""

    def __init__(self, stream: Stream, spec: StampSpec) -> None:
        self.stamps_ns = np.full(stream.num_messages, NO_STAMP, np.int64)
        self._unit_ns = _UNIT_NS[spec.unit]
        self._where = f"channel {stream.channel.topic}: `stamp: {{field: {spec.field}}}`"
        self._first_error: str | None = None
        self._path: FieldPath | None = None
        try:
            self._path = parse_field_path(spec.field)
            self._decode = message_decoder(stream.channel)
        except DecodeError as err:
            self._first_error = err.problem

    @property
    def problem(self) -> str | None:
        """Why the channel has no stamps; None where it has some."""
        if np.any(self.stamps_ns != NO_STAMP):
            return None
        return f"{self._where}: {self._first_error or 'no message has it'}"

    def take(self, first_sequence: int, payloads: list[Buffer]) -> None:
        """Read the stamps of messages that follow each other."""
        if self._path is None:
            return
        for sequence, payload in enumerate(payloads, first_sequence):
            if sequence < len(self.stamps_ns):
                self.stamps_ns[sequence] = self._stamp_of(payload, self._path)

    def _stamp_of(self, payload: Buffer, path: FieldPath) -> int:
        try:
            stamp_ns = _nanoseconds(follow(self._decode(payload), path), self._unit_ns)
        except DecodeError as err:
            self._first_error = self._first_error or err.problem
            return NO_STAMP
        return stamp_ns if stamp_ns in _INT64 else NO_STAMP


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


def _boot_offset(
    index: RecordingIndex, wanted: Mapping[int, StampSpec], found: Mapping[int, NDArray[np.int64]]
) -> int | None:
    """What is to be added to stamps that count from boot, ns; None where none do."""
    distances = []
    for channel_id, spec in wanted.items():
        is_stamp = found[channel_id] != NO_STAMP
        if spec.epoch == "boot":
            distance = (index.streams[channel_id].log_time_ns - found[channel_id])[is_stamp]
            distances.append(int(np.percentile(distance, _FASTEST_PERCENT, method="lower")))
    return min(distances, default=None)


def _moved(stamps_ns: NDArray[np.int64], spec: StampSpec, offset_ns: int | None) -> NDArray[np.int64]:
    if spec.epoch == "unix" or offset_ns is None:
        return stamps_ns
    return np.where(stamps_ns == NO_STAMP, NO_STAMP, stamps_ns + offset_ns)
