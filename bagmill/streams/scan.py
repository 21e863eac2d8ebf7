"""One linear pass over a recording: stamps, pointers, inventory, integrity, identity."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from bagmill.recordings import Recording, open_recording
from bagmill.streams.content_hash import content_hash, size_bytes
from bagmill.streams.growing import GrowingStream
from bagmill.streams.index import RecordingIndex
from bagmill.streams.stamp_faults import stamp_faults

_PROGRESS_EVERY_BYTES = 8 << 20
_MESSAGE_COST_BYTES = 256
"""What a message without a payload counts for, so that a recording of small ones tells its progress too."""


def scan(source: Path | str | Recording, *, progress: Callable[[int, int], None] | None = None) -> RecordingIndex:
    """The index of a recording.

    Every message is visited once in the recording's own order; payloads are looked into for their header stamp only,
    and the first one of each channel for what it holds. The content hash is taken beside it, in a thread.

    Args:
        source: A recording, or the path of one.
        progress: Called now and then, and once at the end, with the bytes done and the bytes there are.

    Raises:
        RecordingError: The recording cannot be opened or not be read further.
    """
    if isinstance(source, Path | str):
        with open_recording(source) as recording:
            return scan(recording, progress=progress)
    stop = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="content-hash") as executor:
        hashing = executor.submit(content_hash, source, stop=stop)
        try:
            total = size_bytes(source)
            streams = _read(source, total=total, progress=progress)
        except BaseException:
            stop.set()
            raise
        finished = tuple(stream.finish() for stream in streams)
        if progress is not None:
            progress(total, total)
        return RecordingIndex(
            path=str(source.path),
            container=source.container,
            content_hash=hashing.result(),
            size_bytes=total,
            streams=finished,
            faults=source.faults + stamp_faults(finished, [stream.num_unreadable for stream in streams]),
        )


def _read(recording: Recording, *, total: int, progress: Callable[[int, int], None] | None) -> list[GrowingStream]:
    streams: list[GrowingStream] = []
    unreported = 0
    for channel_id, _, log_time_ns, publish_time_ns, data in recording.messages():
        if channel_id >= len(streams):
            streams += [GrowingStream(channel) for channel in recording.channels[len(streams) :]]
        streams[channel_id].add(log_time_ns, publish_time_ns, data)
        unreported += len(data) + _MESSAGE_COST_BYTES
        if unreported > _PROGRESS_EVERY_BYTES and progress is not None:
            progress(min(recording.num_bytes_read, total), total)
            unreported = 0
    return streams + [GrowingStream(channel) for channel in recording.channels[len(streams) :]]
