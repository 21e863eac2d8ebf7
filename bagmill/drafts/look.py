"""A second look at a recording: a bounded sample of its messages' values, for the rules that only values can tell."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import compress

import numpy as np
from numpy.typing import NDArray

from bagmill.drafts.odd_values import OddValues
from bagmill.drafts.pictures import CameraSample, CameraValues
from bagmill.drafts.values import FieldValues, measure_values
from bagmill.errors import DecodeError
from bagmill.messages import message_decoder, signal_decoder
from bagmill.messages.field_path import follow, parse_field_path
from bagmill.profile import StampSpec
from bagmill.recordings import Buffer, Channel, open_recording
from bagmill.recordings.records import Run
from bagmill.streams import RecordingIndex

_MOST_MESSAGES = 2_000
"""Looked at of one field."""
_RUN = 50
"""Messages that follow each other, where not all are looked at."""
_MOST_TEXT = 8 << 20

Progress = Callable[[int, int], None]
"""(done, total) in messages."""


@dataclass(frozen=True, slots=True)
class WantedField:
    """A field whose values are to be looked at."""

    channel_id: int
    path: str
    """Of the field."""
    names: tuple[str, ...] = ()
    """Joints, as `signal_decoder` takes them."""
    rows: NDArray[np.int64] | None = field(default=None, compare=False, repr=False)
    """(M,) the messages that hold it; None: all."""
    is_stamp: bool = False
    """Rounded to float64 where it is a whole number beyond 2**53, such as ns since 1970: here it need not be exact."""


@dataclass(frozen=True, slots=True)
class RecordingValues:
    """What the second look saw."""

    fields: Mapping[WantedField, FieldValues] = field(default_factory=dict)
    texts: Mapping[int, str] = field(default_factory=dict)
    """Channel id → the `data` of its last message, for channels of texts that were asked for."""
    stamps: Mapping[str, StampSpec] = field(default_factory=dict)
    """Topic → where in its messages their stamp is, for channels whose messages carry no header."""
    restamped: RecordingIndex | None = None
    """The index with these stamps in place of a header's; None where there are none."""
    cameras: Mapping[int, CameraValues] = field(default_factory=dict)
    """By channel id, for cameras that were asked for."""


@dataclass(slots=True)
class _Sample:
    wanted: WantedField
    read: Callable[[Buffer], NDArray[np.float64]]
    holds: NDArray[np.bool_]
    """(N,) which of the channel's messages hold the field."""
    odd: OddValues
    rows: list[NDArray[np.float64] | None] = field(default_factory=list)
    run_starts: list[int] = field(default_factory=list)
    problem: str | None = None
    _num_seen: int = 0

    @property
    def _step(self) -> int:
        """Every how many runs one is looked at."""
        return -(-int(np.count_nonzero(self.holds)) // _MOST_MESSAGES)

    def take_run(self, run: Run) -> None:
        holds = self.holds[run.first_sequence : run.first_sequence + len(run.payloads)]
        step = self._step
        if step > 1:
            self.odd.take(list(compress(run.payloads, holds)))
        for payload in compress(run.payloads, holds):
            number, place = divmod(self._num_seen, _RUN)
            self._num_seen += 1
            if number % step:
                continue
            if not self.run_starts or (place == 0 and step > 1):
                self.run_starts.append(len(self.rows))
            self.rows.append(self._read(payload))

    def measure(self) -> FieldValues:
        """What was seen."""
        seen = measure_values(self.rows, run_starts=self.run_starts or [0]).with_all(self.odd)
        return replace(seen, problem=self.problem)

    def _read(self, payload: Buffer) -> NDArray[np.float64] | None:
        try:
            return self.read(payload)
        except DecodeError as err:
            self.problem = self.problem or err.problem
            return None


def look_at(
    index: RecordingIndex,
    wanted: Sequence[WantedField],
    *,
    text_channels: Sequence[int] = (),
    cameras: Sequence[int] = (),
    progress: Progress | None = None,
) -> RecordingValues:
    """Read a sample of some fields' values.

    Args:
        index: The recording's scan; its files must still be where they were.
        wanted: Fields to look at; one that cannot be read at all has no messages but unreadable ones.
        text_channels: Ids of channels whose text is wanted, such as a robot's description.
        cameras: Ids of channels whose pictures are to be looked at.
        progress: Called now and then.

    Raises:
        RecordingError: The recording cannot be read to its end.
    """
    samples: dict[int, list[_Sample]] = {}
    for one in wanted:
        samples.setdefault(one.channel_id, []).append(_sample(one, index))
    texts: dict[int, str] = {}
    pictures = {channel_id: CameraSample(index.streams[channel_id]) for channel_id in cameras}
    channel_ids = samples.keys() | set(text_channels) | pictures.keys()
    total = sum(index.streams[channel_id].num_messages for channel_id in channel_ids)
    if not total:
        return RecordingValues()
    num_done = 0
    with open_recording(index.path) as recording:
        for block in recording.blocks(channel_ids):
            for run in block.runs.values():
                for sample in samples.get(run.channel_id, ()):
                    sample.take_run(run)
                if run.channel_id in pictures:
                    for payload in run.payloads:
                        pictures[run.channel_id].take(payload)
                if run.channel_id in text_channels:
                    texts[run.channel_id] = _text(index.streams[run.channel_id].channel, run.payloads[-1])
                num_done += len(run.payloads)
            if progress is not None:
                progress(num_done, total)
    measured = {sample.wanted: sample.measure() for of_channel in samples.values() for sample in of_channel}
    seen = {channel_id: sample.values() for channel_id, sample in pictures.items()}
    kept = {channel_id: text for channel_id, text in texts.items() if text}
    return RecordingValues(fields=measured, texts=kept, cameras=seen)


def _sample(wanted: WantedField, index: RecordingIndex) -> _Sample:
    stream = index.streams[wanted.channel_id]
    holds = np.zeros(stream.num_messages, np.bool_)
    holds[slice(None) if wanted.rows is None else wanted.rows] = True
    try:
        read = _stamp_reader(stream.channel, wanted.path) if wanted.is_stamp else _signal_reader(stream.channel, wanted)
    except DecodeError as err:
        read = _unreadable(err)
    return _Sample(wanted, read, holds, OddValues(stream.channel, wanted.path, wanted.names))


def _signal_reader(channel: Channel, wanted: WantedField) -> Callable[[Buffer], NDArray[np.float64]]:
    return signal_decoder(channel, wanted.path, names=wanted.names)


def _stamp_reader(channel: Channel, path: str) -> Callable[[Buffer], NDArray[np.float64]]:
    decode, way = message_decoder(channel), parse_field_path(path)

    def read(payload: Buffer) -> NDArray[np.float64]:
        value = follow(decode(payload), way)
        try:
            return np.array([float(value)], np.float64)
        except (TypeError, ValueError, OverflowError) as err:
            raise DecodeError(f"expected one number, found {type(value).__name__}") from err

    return read


def _unreadable(error: DecodeError) -> Callable[[Buffer], NDArray[np.float64]]:
    def read(_: Buffer) -> NDArray[np.float64]:
        raise error

    return read


def _text(channel: Channel, payload: Buffer) -> str:
    try:
        message = message_decoder(channel)(payload)
    except DecodeError:
        return ""
    text = message.get("data") if isinstance(message, dict) else getattr(message, "data", None)
    return text if isinstance(text, str) and len(text) <= _MOST_TEXT else ""
