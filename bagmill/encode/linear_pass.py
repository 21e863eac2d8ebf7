"""One linear pass over a recording: frames through a pool of threads into their shards, signals into their collectors.

Memory is bounded however long the recording: at most a few frames a thread are under way, and what is encoded goes to its
shard at once. Frames reach a shard in the recording's order whatever the threads do, so the same input gives the same bytes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
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
from bagmill.plan import FeaturePlan
from bagmill.recordings.records import Recording

Part = TypeVar("Part", "FrameTarget", SignalCollector)

_FRAMES_UNDER_WAY_PER_THREAD = 4
_MESSAGES_PER_REPORT = 64


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
    damaged: list[int] = field(default_factory=list)
    """Sequences of the messages that could not be decoded."""
    num_encoded: int = 0
    num_repeated: int = 0
    """Frames whose stored bytes equal those of the message before: a frozen camera."""
    size_bytes: int = 0
    """Of the frames stored."""
    _previous: bytes | memoryview = b""

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
    messages = recording.messages(targets_of.keys() | collectors_of.keys(), num_threads=num_threads)
    with ThreadPoolExecutor(num_threads, thread_name_prefix="encode") as pool:
        for channel_id, sequence, _, _, data in messages:
            for collector in collectors_of.get(channel_id, ()):
                collector.take(sequence, data)
            for target in targets_of.get(channel_id, ()):
                ticks = target.schedule.ticks_of(sequence)
                if not ticks:
                    continue
                audited_tick = min(target.audited.intersection(ticks), default=None)
                if target.step == "copy":  # less work than handing it to a thread
                    _finish(target, sequence, ticks, partial(target.encode, data, audited_tick))
                    continue
                frame = pool.submit(target.encode, data, audited_tick)
                under_way.append((target, sequence, ticks, frame))
                if len(under_way) >= _FRAMES_UNDER_WAY_PER_THREAD * num_threads:
                    _finish_first(under_way)
            num_read += 1
            if progress is not None and num_read % _MESSAGES_PER_REPORT == 0:
                progress(num_read)
        while under_way:
            _finish_first(under_way)
    if progress is not None:
        progress(num_read)


def _finish_first(under_way: deque[tuple[FrameTarget, int, list[int], Future[EncodedFrame]]]) -> None:
    target, sequence, ticks, frame = under_way.popleft()
    _finish(target, sequence, ticks, frame.result)


def _finish(target: FrameTarget, sequence: int, ticks: Sequence[int], frame: Callable[[], EncodedFrame]) -> None:
    try:
        target.store(ticks, frame())
    except (DecodeError, CodecError):
        target.damaged.append(sequence)


def _by_channel(parts: Iterable[Part]) -> dict[int, list[Part]]:
    channels: dict[int, list[Part]] = {}
    for part in parts:
        channels.setdefault(part.feature.channel.id, []).append(part)
    return channels
