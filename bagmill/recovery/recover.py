"""One recording, as far as it can be read, as an MCAP file with chunks, indexes, statistics and checksums."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import version
from itertools import count
from pathlib import Path
from typing import BinaryIO, Final

from mcap.writer import CompressionType, Writer

from bagmill.definitions import GivenDefinitions
from bagmill.errors import RecordingError, StorageError
from bagmill.local_paths import local_path
from bagmill.recordings import Channel, Fault, Recording, open_recording
from bagmill.recordings.losses import Losses
from bagmill.recordings.mcap import McapRecording
from bagmill.recordings.records import Block, Buffer
from bagmill.recovery.schemas import McapSchema, schema_of
from bagmill.recovery.whole_file import refuse_existing, written_whole

Progress = Callable[[int, int], None]
_CHUNK_BYTES: Final = 4 << 20
_PROFILES: Final = {"rosbag1": "ros1", "rosbag2": "ros2"}
_UNSIGNED: Final = (1 << 64) - 1


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was written, and what was not there to be written."""

    path: Path
    size_bytes: int
    counts: dict[str, int]
    """Messages by topic; topics without one included."""
    losses: Losses
    faults: tuple[Fault, ...]
    """Of the recording that was read."""

    @property
    def num_messages(self) -> int:
        """On all channels together."""
        return sum(self.counts.values())


def recover(
    source: Path | str,
    out: Path | str,
    *,
    definitions: GivenDefinitions | None = None,
    is_replacing: bool = False,
    num_threads: int = 1,
    progress: Progress | None = None,
) -> Recovered:
    """Write what can be read of a recording as a clean MCAP file.

    Messages stand in the recording's own order with their log and publish times; of an MCAP their numbers, its metadata and its
    attachments are kept as well. Several publishers of one topic whose definitions mean the same become one channel. Memory: one
    chunk a thread, and one that is written.

    Args:
        source: The recording.
        out: The file to write.
        definitions: Of message types, for what the recording does not define itself.
        is_replacing: Write over a file that is there.
        num_threads: Threads that read ahead.
        progress: Called with the bytes read so far and those there are, again from 0 where a second pass is needed.

    Raises:
        RecordingError: The recording cannot be opened, or holds no message that can be read.
        StorageError: The file is there already or is part of the recording, or the disk does not take it.
    """
    source, out = local_path(source), local_path(out)
    with open_recording(source, salvage=True, keeps_numbers=True) as recording:
        refuse_existing(out, is_replacing=is_replacing)
        _refuse_same(recording, out)
        with written_whole(out, is_replacing=is_replacing) as file:
            counts = _write_all(recording, file, given=definitions, num_threads=num_threads, progress=progress)
            size_bytes = file.tell()
            if not sum(counts.values()):
                raise _nothing_to_write(recording)
        return Recovered(out, size_bytes, counts, recording.losses, recording.faults)


def _write_all(
    recording: Recording,
    file: BinaryIO,
    *,
    given: GivenDefinitions | None,
    num_threads: int,
    progress: Progress | None,
) -> dict[str, int]:
    """Messages by topic, all of them written."""
    while True:
        output = _Output(file, recording, given)
        _copy(recording, output, num_threads=num_threads, progress=progress)
        if output.is_up_to_date():
            output.finish()
            return output.counts()
        # A later publisher told what an earlier one's definition lacked: known from the start, the next time.
        file.seek(0)
        file.truncate()


def _copy(recording: Recording, output: _Output, *, num_threads: int, progress: Progress | None) -> None:
    total = sum(path.stat().st_size for path in recording.files)
    for block in recording.blocks(num_threads=num_threads):
        for row in _rows(block):
            output.add(*row)
        if progress is not None:
            progress(min(recording.num_bytes_read, total), total)
    if progress is not None:
        progress(total, total)


def _rows(block: Block) -> Iterator[tuple[int, int, int, int, Buffer]]:
    """Channel id, number, log time, publish time, payload: in the recording's own order."""
    rows = {
        run.channel_id: zip(
            run.numbers or count(run.first_sequence),
            run.log_times_ns,
            run.publish_times_ns,
            run.payloads,
            strict=False,
        )
        for run in block.runs.values()
    }
    for channel_id in block.order:
        yield channel_id, *next(rows[channel_id])


class _Output:
    """The MCAP file while it is written.

    Args:
        file: Empty.
        recording: What is written.
        given: Definitions for what it does not define itself.
    """

    def __init__(self, file: BinaryIO, recording: Recording, given: GivenDefinitions | None) -> None:
        self._recording = recording
        self._given = given
        self._writer = Writer(file, chunk_size=_CHUNK_BYTES, compression=CompressionType.ZSTD)
        profile = recording.profile if isinstance(recording, McapRecording) else _PROFILES[recording.container]
        self._writer.start(profile=profile, library=f"bagmill {version('bagmill')}")
        self._schemas: dict[McapSchema, int] = {}
        self._channels: dict[int, int] = {}
        self._written: dict[int, Channel] = {}
        self._counts: Counter[int] = Counter()

    def add(self, channel_id: int, number: int, log_time_ns: int, publish_time_ns: int, data: Buffer) -> None:
        """Write one message."""
        self._writer.add_message(
            channel_id=self._channels.get(channel_id) or self._register(channel_id),
            log_time=log_time_ns & _UNSIGNED,
            publish_time=publish_time_ns & _UNSIGNED,
            sequence=number & 0xFFFFFFFF,
            data=bytes(data),
        )
        self._counts[channel_id] += 1

    def is_up_to_date(self) -> bool:
        """Whether every channel was written as it is known by now."""
        return all(self._recording.channels[channel_id] == channel for channel_id, channel in self._written.items())

    def counts(self) -> dict[str, int]:
        """Messages by topic."""
        counts: Counter[str] = Counter()
        for channel in self._recording.channels:
            counts[channel.topic] += self._counts[channel.id]
        return dict(counts)

    def finish(self) -> None:
        """Write channels without a message, what an MCAP has besides messages, and the summary."""
        for channel in self._recording.channels:
            if channel.id not in self._channels:
                self._register(channel.id)
        if isinstance(self._recording, McapRecording):
            for metadata in self._recording.metadata():
                self._writer.add_metadata(metadata.name, dict(metadata.content))
            for attachment in self._recording.attachments():
                self._writer.add_attachment(
                    create_time=attachment.create_time_ns,
                    log_time=attachment.log_time_ns,
                    name=attachment.name,
                    media_type=attachment.media_type,
                    data=bytes(attachment.data),
                )
        self._writer.finish()  # type: ignore[no-untyped-call]

    def _register(self, channel_id: int) -> int:
        channel = self._recording.channels[channel_id]
        schema = schema_of(channel, self._given)
        schema_id = 0
        if any(schema):
            if schema not in self._schemas:
                self._schemas[schema] = self._writer.register_schema(schema.name, schema.encoding, schema.data)
            schema_id = self._schemas[schema]
        self._written[channel_id] = channel
        self._channels[channel_id] = self._writer.register_channel(
            channel.topic, channel.message_encoding, schema_id, dict(channel.metadata)
        )
        return self._channels[channel_id]


def _refuse_same(recording: Recording, out: Path) -> None:
    """Never write over what is read."""
    for path in (recording.path, *recording.files):
        if out.exists() and out.samefile(path):
            raise StorageError("is the recording itself, or part of it", path=out, remedy="Name another file")


def _nothing_to_write(recording: Recording) -> RecordingError:
    lost = next((fault.message for fault in recording.faults if fault.severity == "error"), None)
    told = "holds no messages" if lost is None else f"holds no message that can be read: {lost.removesuffix('.')}"
    return RecordingError(told, path=recording.path, remedy="Copy it again from the robot")
