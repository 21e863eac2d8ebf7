"""One linear pass over a recording: frames through a pool of threads into their shards, signals into their collectors.

Memory is bounded however long the recording: at most a few frames a thread are under way, and what is encoded goes to its
shard at once. Frames reach a shard in the recording's order whatever the threads do, so the same input gives the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from bagmill.codecs.policy import CodecStep
from bagmill.encode.frames import EncodedFrame, FrameEncoder
from bagmill.encode.schedule import FrameSchedule
from bagmill.encode.signals import SignalCollector
from bagmill.episodes import FrameSink
from bagmill.errors import CodecError, DecodeError
from bagmill.messages import DecodeFaults
from bagmill.plan import FeaturePlan
from bagmill.pulse import pulse
from bagmill.recordings.records import Channel, Recording, Run

Part = TypeVar("Part", "FrameTarget", SignalCollector)

_FRAMES_UNDER_WAY_PER_THREAD = 4


@dataclass(slots=True)
class FrameTarget:
    """One camera's way through the pass, and what became of it."""

    feature: FeaturePlan
    step: CodecStep
    schedule: FrameSchedule
    encode: FrameEncoder
    sink: FrameSink
    audited: frozenset[int]
    """Ticks whose source frame is kept."""
    audit: dict[int, EncodedFrame] = field(default_factory=dict)
    """Audited tick → its frame, source and stored bytes."""
    faults: DecodeFaults = field(default_factory=DecodeFaults)
    """The messages that could not be decoded, and why."""
    num_encoded: int = 0
    num_repeated: int = 0
    """Frames whose stored bytes equal those of the message before: a frozen camera."""
    size_bytes: int = 0
    """Of the frames stored."""
    _previous: bytes | memoryview = b""

    @property
    def channel(self) -> Channel:
        """Whose messages its frames are made from."""
        return self.feature.channel

    def work(self, run: Run) -> Iterator[tuple[int, list[int], Callable[[], EncodedFrame]]]:
        """For every message of a run that a tick shows: its sequence, its ticks, and the encoding of it, to be done."""
        for sequence, payload in enumerate(run.payloads, run.first_sequence):
            ticks = self.schedule.ticks_of(sequence)
            if ticks:
                audited_tick = min(self.audited.intersection(ticks), default=None)
                yield sequence, ticks, partial(self.encode, payload, audited_tick)

    def finish(self, sequence: int, ticks: Sequence[int], frame: Callable[[], EncodedFrame]) -> None:
        """Take what a message's encoding gives: a frame, or the news that it is damaged."""
        try:
            self.store(ticks, frame())
        except (DecodeError, CodecError) as err:
            self.faults.add(sequence, err)

    def store(self, ticks: Sequence[int], frame: EncodedFrame) -> None:
        """Put one frame behind its ticks."""
        self.sink.put(ticks[0], frame.data, also=ticks[1:])
        if frame.source is not None:
            self.audit.update((tick, frame) for tick in ticks if tick in self.audited)
        self.num_encoded += 1
        self.num_repeated += frame.data == self._previous
        self.size_bytes += len(frame.data)
        self._previous = frame.data


def run_pass(
    recording: Recording,
    targets: Sequence[FrameTarget],
    collectors: Sequence[SignalCollector],
    *,
    num_threads: int,
    progress: Callable[[int], None] | None = None,
) -> None:
    """Follow the recording once and fill every target and collector.

    Args:
        recording: Open; read once from its beginning.
        targets: Cameras to encode.
        collectors: Signals to gather.
        num_threads: Threads that decode and encode, and as many that read ahead of them.
        progress: Called with the number of messages read so far.

    Raises:
        RecordingError: The recording cannot be read to its end.
        StorageError: A frame cannot be written.
    """
    targets_of = _by_channel(targets)
    collectors_of = _by_channel(collectors)
    under_way: deque[tuple[FrameTarget, int, list[int], Future[EncodedFrame]]] = deque()
    num_read = 0
    blocks = recording.blocks(targets_of.keys() | collectors_of.keys(), num_threads=num_threads)
    with ThreadPoolExecutor(num_threads, thread_name_prefix="encode") as pool:
        for block in blocks:
            for run in block.runs.values():
                for collector in collectors_of.get(run.channel_id, ()):
                    collector.take_run(run.first_sequence, run.payloads)
                for target in targets_of.get(run.channel_id, ()):
                    for sequence, ticks, work in target.work(run):
                        if target.step == "copy":  # less than handing it to a thread
                            target.finish(sequence, ticks, work)
                            continue
                        under_way.append((target, sequence, ticks, pool.submit(work)))
                        if len(under_way) >= _FRAMES_UNDER_WAY_PER_THREAD * num_threads:
                            _finish_first(under_way)
                num_read += len(run.payloads)
                if progress is not None:
                    progress(num_read)
        while under_way:
            _finish_first(under_way)
    if progress is not None:
        progress(num_read)


def _finish_first(under_way: deque[tuple[FrameTarget, int, list[int], Future[EncodedFrame]]]) -> None:
    target, sequence, ticks, frame = under_way.popleft()
    target.finish(sequence, ticks, frame.result)
    pulse()


def _by_channel(parts: Iterable[Part]) -> dict[int, list[Part]]:
    channels: dict[int, list[Part]] = {}
    for part in parts:
        channels.setdefault(part.channel.id, []).append(part)
    return channels
