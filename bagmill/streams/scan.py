"""One linear pass over a recording: stamps, pointers, inventory, integrity, identity."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

from bagmill.definitions import GivenDefinitions
from bagmill.messages import with_definitions
from bagmill.pulse import pulse
from bagmill.recordings import Channel, Recording, open_recording
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.records import Block
from bagmill.streams.content_hash import Hearsay, content_hash, size_bytes
from bagmill.streams.field_count import FieldCount
from bagmill.streams.growing import GrowingStream
from bagmill.streams.index import RecordingIndex
from bagmill.streams.stamp_faults import stamp_faults

_PROGRESS_EVERY_BYTES = 8 << 20
_MESSAGE_COST_BYTES = 256
"""What a message without a payload counts for, so that a recording of small ones tells its progress too."""


def scan(
    source: Path | str | Recording,
    *,
    definitions: GivenDefinitions | None = None,
    salvage: bool = False,
    num_threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> RecordingIndex:
    """The index of a recording.

    Every message is visited once in the recording's own order; payloads are looked into for their header stamp only,
    and the first one of each channel for what it holds. The content hash is taken beside it, of the same bytes, in a
    thread.

    Args:
        source: A recording, or the path of one.
        definitions: Of message types, for what the recording does not define itself.
        salvage: As of `open_recording`, where a path is given.
        num_threads: Threads that read, unpack and check ahead; besides the caller's own and the hash's.
        progress: Called now and then, and once at the end, with the bytes done and the bytes there are.

    Raises:
        RecordingError: The recording cannot be opened or not be read further.
    """
    if isinstance(source, Path | str):
        with open_recording(source, salvage=salvage) as recording:
            return scan(recording, definitions=definitions, num_threads=num_threads, progress=progress)
    stop = threading.Event()
    with ThreadPoolExecutor(1, thread_name_prefix="content-hash") as executor, closing(Hearsay()) as hearsay:
        hashing = executor.submit(_hash, source, hearsay, stop)
        try:
            total = size_bytes(source)
            blocks = source.blocks(num_threads=num_threads, witness=hearsay.tell)
            streams = _read(source, blocks, definitions=definitions, total=total, progress=progress)
            if [stream.channel for stream in streams] != _channels(source, definitions):
                # A later publisher told what an earlier one's definition lacked: with it, stamps and contents can be read.
                blocks = source.blocks(num_threads=num_threads)
                streams = _read(source, blocks, definitions=definitions, total=total, progress=progress)
        except BaseException:
            stop.set()
            raise
        hearsay.close()
        finished = tuple(stream.finish() for stream in streams)
        if progress is not None:
            progress(total, total)
        faults = FaultLog()
        faults.extend(source.faults)
        faults.extend(stamp_faults(finished, [stream.num_unreadable for stream in streams]))
        return RecordingIndex(
            path=str(source.path),
            container=source.container,
            content_hash=hashing.result(),
            size_bytes=total,
            streams=finished,
            losses=source.losses,
            faults=faults.faults,
        )


def _hash(recording: Recording, hearsay: Hearsay, stop: threading.Event) -> str:
    # Should the hash fail, whoever reads must not wait for it for ever.
    with closing(hearsay):
        # A database is read through SQLite, which tells nothing.
        return content_hash(recording, heard=hearsay if recording.container != "rosbag2" else (), stop=stop)


def _read(
    recording: Recording,
    blocks: Iterator[Block],
    *,
    definitions: GivenDefinitions | None,
    total: int,
    progress: Callable[[int, int], None] | None,
) -> list[GrowingStream]:
    streams: list[GrowingStream] = []
    count = FieldCount(recording.path)

    def follow_new() -> None:
        for channel in _channels(recording, definitions, behind=len(streams)):
            count.add(channel)
            streams.append(GrowingStream(channel))

    unreported = 0
    for block in blocks:
        pulse()
        for run in block.runs.values():
            if run.channel_id >= len(streams):
                follow_new()
            streams[run.channel_id].extend(run)
            unreported += sum(map(len, run.payloads)) + _MESSAGE_COST_BYTES * len(run.payloads)
        if unreported > _PROGRESS_EVERY_BYTES and progress is not None:
            progress(min(recording.num_bytes_read, total), total)
            unreported = 0
    follow_new()
    return streams


def _channels(recording: Recording, definitions: GivenDefinitions | None, *, behind: int = 0) -> list[Channel]:
    """The channels known so far, their definitions completed; without the first of them where they are followed already."""
    return [with_definitions(channel, definitions) for channel in recording.channels[behind:]]
