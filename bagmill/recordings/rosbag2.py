"""A rosbag2 folder as one recording, however many files it was split over."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path

from bagmill.errors import RecordingError
from bagmill.recordings.allowance import Allowance, limits_told_of
from bagmill.recordings.blocks import one_by_one
from bagmill.recordings.channel_table import ChannelTable
from bagmill.recordings.closing import ClosedByWith
from bagmill.recordings.compression import DecompressionError, decompress_zstd_message
from bagmill.recordings.fault_log import FaultLog
from bagmill.recordings.losses import Losses, LossLog, seconds_between
from bagmill.recordings.records import Block, Channel, Container, Fault, Message, Witness
from bagmill.recordings.rosbag2_metadata import FILE_NAME, BagMetadata, read_metadata
from bagmill.recordings.rosbag2_splits import Split, locate_splits, open_splits
from bagmill.recordings.rosbag2_sqlite import SERIALIZATIONS, unknown_serialization
from bagmill.recordings.salvage.rosbag2_folder import guess_metadata

_DURATION_TOLERANCE_NS = 1_000_000
_BLOCK_BYTES = 1 << 20


class Rosbag2Recording(ClosedByWith):
    """A rosbag2 folder: sqlite3 or MCAP, compressed by message, by file or not at all, its splits in their order.

    metadata.yaml is asked for the splits and their compression; its counts are compared with what is read.

    Args:
        path: The folder.
        salvage: Read the files alone where there is no metadata.yaml, or a damaged one; read damaged files as far as they go.
        keeps_numbers: As of `McapRecording`.

    Raises:
        RecordingError: metadata.yaml is missing or damaged, none of its files can be opened, or nothing knows their
            compression or serialization.
    """

    container: Container = "rosbag2"

    def __init__(self, path: Path, *, salvage: bool = False, keeps_numbers: bool = False) -> None:
        self.path = path
        self._faults = FaultLog()
        self._losses = LossLog(is_kept=salvage)
        self._keeps_numbers = keeps_numbers
        self._table = ChannelTable()
        self._metadata = self._read_metadata(salvage=salvage)
        paths = locate_splits(path, self._metadata, faults=self._faults, losses=self._losses)
        has_file = not self._metadata.is_guessed or (path / FILE_NAME).is_file()
        self.files = ((path / FILE_NAME,) if has_file else ()) + paths
        self._current = 0
        with ExitStack() as resources:
            self._splits = open_splits(
                paths,
                self._metadata,
                faults=self._faults,
                losses=self._losses,
                resources=resources,
                keeps_numbers=keeps_numbers,
            )
            self._resources = resources.pop_all()
        with limits_told_of(path):
            for split in self._splits:
                self._fold(split)

    @property
    def channels(self) -> tuple[Channel, ...]:
        """By id."""
        return self._table.channels

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Found so far."""
        of_splits = FaultLog()
        of_splits.extend(self._faults.faults)
        for split in self._splits:
            of_splits.extend(split.recording.faults, where=split.name)
        return of_splits.faults

    @property
    def losses(self) -> Losses:
        """What is missing in a folder that is salvaged."""
        return self._losses.losses

    @property
    def num_messages_from_summary(self) -> Mapping[int, int] | None:
        """What metadata.yaml counts, by the channels known so far; None where there is none."""
        if self._metadata.is_guessed:
            return None
        counts = self._metadata.counts_by_topic
        keys = {channel.id: (channel.topic, channel.schema_name) for channel in self._table.channels}
        return {channel_id: counts[key] for channel_id, key in keys.items() if key in counts}

    @property
    def num_bytes_read(self) -> int:
        """Bytes of the folder's files that the latest pass has behind it."""
        behind = sum(split.size_bytes for split in self._splits[: self._current])
        if self._current < len(self._splits):
            split = self._splits[self._current]
            behind += split.recording.num_bytes_read * split.size_bytes // max(split.unpacked_bytes, 1)
        return behind

    def messages(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Message]:
        """Every message, split after split; only some channels' where named."""
        return one_by_one(self.blocks(channel_ids, num_threads=num_threads, witness=witness))

    def blocks(
        self,
        channel_ids: Collection[int] | None = None,
        *,
        num_threads: int = 1,
        witness: Witness | None = None,  # noqa: ARG002 - offsets in several files say nothing
    ) -> Iterator[Block]:
        """The blocks of every split; only some channels' where named."""
        with limits_told_of(self.path):
            yield from self._blocks(channel_ids, num_threads=num_threads)

    def _blocks(self, channel_ids: Collection[int] | None, *, num_threads: int) -> Iterator[Block]:
        allowance = Allowance(sum(split.size_bytes for split in self._splits))
        wanted = None if channel_ids is None else frozenset(channel_ids)
        is_packed = self._metadata.has_packed_messages
        counts: Counter[int] = Counter()
        num_damaged: Counter[int] = Counter()
        counts_by_split: list[int] = []
        last_by_split: list[int] = []
        first_ns, last_ns = 2**63, -(2**63)
        for index, split in enumerate(self._splits):
            self._current = index
            ids: tuple[int, ...] = ()
            num_in_split, last_in_split = 0, -(2**63)
            for found in self._blocks_of(split, num_threads=num_threads):
                block, block_bytes = Block(), 0
                numbers = {run.channel_id: iter(run.numbers) for run in found.runs.values()}
                for channel_id, _, log_time_ns, publish_time_ns, data in one_by_one([found]):
                    if channel_id >= len(ids):
                        ids += self._fold(split, behind=len(ids))
                    position = ids[channel_id]
                    number = next(numbers[channel_id], None) if self._keeps_numbers else None
                    num_in_split += 1
                    first_ns, last_in_split = min(first_ns, log_time_ns), max(last_in_split, log_time_ns)
                    if wanted is not None and position not in wanted:
                        continue
                    payload = data
                    if is_packed:
                        try:
                            payload = decompress_zstd_message(data)
                        except DecompressionError as err:
                            allowance.unpack(err.num_bytes)
                            num_damaged[position] += 1
                            continue
                        allowance.unpack(len(payload))
                    block.add(position, counts[position], log_time_ns, publish_time_ns, payload)
                    if number is not None:
                        block.runs[position].numbers.append(number)
                    counts[position] += 1
                    block_bytes += len(payload)
                    if block_bytes >= _BLOCK_BYTES:  # unpacked, it is many times what the split holds
                        yield block
                        block, block_bytes = Block(), 0
                yield block
            self._fold(split)  # channels without a message
            counts_by_split.append(num_in_split)
            last_by_split.append(last_in_split)
            last_ns = max(last_ns, last_in_split)
        self._current = len(self._splits)
        self._finish(counts, num_damaged, last_by_split, is_whole=wanted is None)
        if not self._metadata.is_guessed:
            self._compare(counts_by_split, duration_ns=max(last_ns - first_ns, 0))

    def close(self) -> None:
        """Close every split and remove what was unpacked."""
        self._resources.close()

    def _finish(
        self, counts: Mapping[int, int], num_damaged: Mapping[int, int], last_by_split: Sequence[int], *, is_whole: bool
    ) -> None:
        """Tell what is missing behind a pass; one over all channels can be held against metadata.yaml's counts."""
        for position, num in num_damaged.items():
            self._faults.add(
                "message_damaged",
                f"{num} messages on {self._table[position].topic} are not the zstd data that {FILE_NAME} announces; "
                "they are left out.",
            )
            self._losses.add(
                "message_damaged", "all over the folder", channel=self._table[position].topic, num_messages=num
            )
        for split, last_ns in zip(self._splits, last_by_split, strict=True):
            end_ns = self._metadata.end_of(split.name)
            self._losses.extend(split.recording.losses, where=split.name, rest_s=seconds_between(last_ns, end_ns))
        if is_whole and self._metadata.counts_by_topic:
            self._losses.count(self._missing(counts))

    def _read_metadata(self, *, salvage: bool) -> BagMetadata:
        """What metadata.yaml says; where it says nothing legible, and the folder is salvaged, what its files' names say.

        Raises:
            RecordingError: There is nothing to go by.
        """
        try:
            metadata = read_metadata(self.path)
            _check_formats(self.path, metadata)
        except RecordingError as err:
            guessed = guess_metadata(self.path, losses=self._losses) if salvage else None
            if guessed is None:
                raise
            self._faults.add(
                "metadata_unreadable",
                f"The folder's files are read in the order of their names, without {FILE_NAME}: {err.problem}.",
                severity="warning",
            )
            return guessed
        return metadata

    def _missing(self, counts: Mapping[int, int]) -> dict[str, int]:
        """Messages by topic that metadata.yaml counts and that were not read."""
        missing: Counter[str] = Counter()
        read: Counter[tuple[str, str]] = Counter()
        for channel in self._table.channels:
            read[channel.topic, channel.schema_name] += counts.get(channel.id, 0)
        for key, expected in self._metadata.counts_by_topic.items():
            if expected > read[key]:
                missing[key[0]] += expected - read[key]
        return dict(missing)

    def _blocks_of(self, split: Split, *, num_threads: int) -> Iterator[Block]:
        with limits_told_of(self.path / split.name, unpacked=split.recording.path):
            yield from split.recording.blocks(num_threads=num_threads)

    def _fold(self, split: Split, *, behind: int = 0) -> tuple[int, ...]:
        """Ids here, by the ids of the split's own channels; without the first of them where they are known."""
        return tuple(
            self._table.fold(
                channel.topic,
                schema_name=channel.schema_name,
                schema_encoding=channel.schema_encoding,
                schema_data=channel.schema_data,
                message_encoding=channel.message_encoding,
                metadata=channel.metadata,
            )
            for channel in split.recording.channels[behind:]
        )

    def _compare(self, counts_by_split: list[int], *, duration_ns: int) -> None:
        """Compare what was read with what metadata.yaml says; a folder with splits missing only split by split."""
        metadata = self._metadata
        expected_by_split = {
            Path(split.path).name.removesuffix(".zstd"): split.message_count for split in metadata.files
        }
        for split, found in zip(self._splits, counts_by_split, strict=True):
            expected = expected_by_split.get(split.name.removesuffix(".zstd"), found)
            self._tell("count", f"messages in {split.name}", found=found, expected=expected)
        if metadata.files:
            starts = [split.starting_time.nanoseconds_since_epoch for split in metadata.files]
            ends = [start + split.duration.nanoseconds for start, split in zip(starts, metadata.files, strict=True)]
            if abs(max(ends) - min(starts) - metadata.duration.nanoseconds) > _DURATION_TOLERANCE_NS:
                self._tell(
                    "duration",
                    "ns of its own splits",
                    found=max(ends) - min(starts),
                    expected=metadata.duration.nanoseconds,
                )
        if len(self._splits) < len(metadata.relative_file_paths):
            return
        self._tell("count", "messages", found=sum(counts_by_split), expected=metadata.message_count)
        if abs(duration_ns - metadata.duration.nanoseconds) > _DURATION_TOLERANCE_NS:
            self._tell(
                "duration", "ns from first to last message", found=duration_ns, expected=metadata.duration.nanoseconds
            )

    def _tell(self, what: str, of: str, *, found: int, expected: int) -> None:
        if found != expected:
            self._faults.add(
                f"{what}_differs_from_metadata",
                f"There are {found} {of} where {FILE_NAME} says {expected}.",
                severity="warning",
            )


def _check_formats(path: Path, metadata: BagMetadata) -> None:
    """Refuse what nothing here reads."""
    if metadata.compression_mode in {"message", "file"} and metadata.compression_format != "zstd":
        raise RecordingError(
            f"its {metadata.compression_mode}s are compressed as {metadata.compression_format!r}, only zstd is known",
            path=path / FILE_NAME,
            remedy="Convert it with `ros2 bag convert`",
        )
    for topic in metadata.topics_with_message_count:
        if topic.topic_metadata.serialization_format not in SERIALIZATIONS:
            raise unknown_serialization(
                path / FILE_NAME,
                topic=topic.topic_metadata.name,
                serialization=topic.topic_metadata.serialization_format,
            )
