"""What every container gives: channels, messages, and the faults found on the way."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Literal, NamedTuple, Protocol, Self

from bagmill.definitions import Schema
from bagmill.recordings.losses import Losses

Buffer = bytes | memoryview
Container = Literal["mcap", "rosbag1", "rosbag2"]
Witness = Callable[[int, memoryview], None]
"""Told of a file's bytes as they are read: (offset, bytes). Offsets rise; what is skipped, or kept in records of a few bytes,
is not told."""


@dataclass(frozen=True, slots=True)
class Channel:
    """A topic in a recording with its schema.

    Connections (ROS 1) and channel records (MCAP) of one topic, type and encoding whose definitions mean the same are one
    channel here: several publishers of a topic are no business of the reader's.
    """

    id: int
    """Position in `Recording.channels`: dense, in the order of first appearance, the same at every opening."""
    topic: str
    """Name as recorded, leading slash or not."""
    schema_name: str
    """ROS names in their ROS 2 form whatever the container wrote: `sensor_msgs/msg/Image`. Others as they are."""
    schema_encoding: str
    """`ros2msg`, `ros2idl`, `ros1msg`, `protobuf`, `jsonschema`, or empty."""
    schema_data: bytes
    """The definition's own bytes, the fullest of several that mean the same; empty where the container carries none."""
    message_encoding: str
    """`cdr`, `ros1`, `protobuf`, `json`, or whatever else the container names."""
    metadata: Mapping[str, str] = field(default_factory=dict)
    """The container's own key/value pairs about the channel."""

    @property
    def schema(self) -> Schema:
        """The definition of its messages, to be compared with another's."""
        type_hash = self.metadata.get("md5sum") or self.metadata.get("topic_type_hash") or ""
        return Schema(self.schema_name, self.schema_encoding, self.schema_data, self.message_encoding, type_hash)


class Message(NamedTuple):
    """One record on a channel."""

    channel_id: int
    sequence: int
    """How many messages of its channel stand before it in the recording's own order: the pointer to it."""
    log_time_ns: int
    publish_time_ns: int
    """Equal to `log_time_ns` where the container knows only one time."""
    data: Buffer
    """The payload. A view is valid for as long as it is held, and for so long keeps what it was read with in memory."""


@dataclass(slots=True)
class Run:
    """Messages of one channel, one behind the other, as columns of equal length."""

    channel_id: int
    first_sequence: int
    """Of the first; the others follow without a gap."""
    log_times_ns: list[int] = field(default_factory=list)
    publish_times_ns: list[int] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    """The sequence numbers that publishers gave; empty unless the recording was opened to keep them."""
    payloads: list[Buffer] = field(default_factory=list)
    """Views are valid for as long as they are held, and for so long keep in memory what they were read with."""


@dataclass(slots=True)
class Block:
    """Messages that stand together in a recording: those of a chunk, or a few rows of a database."""

    runs: dict[int, Run] = field(default_factory=dict)
    """By channel id; none is empty."""
    order: list[int] = field(default_factory=list)
    """Every message's channel id, in the recording's own order."""

    def open_run(self, channel_id: int, first_sequence: int) -> Run:
        """A run for a channel that has none yet, to be filled."""
        run = self.runs[channel_id] = Run(channel_id, first_sequence)
        return run

    def add(self, channel_id: int, sequence: int, log_time_ns: int, publish_time_ns: int, payload: Buffer) -> None:
        """Append one message."""
        run = self.runs.get(channel_id) or self.open_run(channel_id, sequence)
        self.order.append(channel_id)
        run.log_times_ns.append(log_time_ns)
        run.publish_times_ns.append(publish_time_ns)
        run.payloads.append(payload)


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong with a container that did not stop the reading of it."""

    code: str
    """`chunk_crc_mismatch`, `count_differs_from_summary`, `truncated`, `missing_split`…"""
    message: str
    """One sentence: what, where, expected and found."""
    severity: Literal["error", "warning"] = "error"
    """`error`: messages are lost or wrong; `warning`: the container contradicts itself, its messages are whole."""
    num_untold: int = 0
    """Of how many faults of this kind it stands in place, because there are too many to tell; 0: it is one itself."""

    @property
    def num(self) -> int:
        """How many faults it tells of."""
        return self.num_untold or 1

    def as_plain(self) -> dict[str, str | int]:
        """As JSON has it; `num_untold` only where it stands in the place of others."""
        untold: dict[str, str | int] = {"num_untold": self.num_untold} if self.num_untold else {}
        return {"severity": self.severity, "code": self.code, "message": self.message, **untold}


class Recording(Protocol):
    """An open recording: a context manager over one MCAP file, one .bag or one rosbag2 folder."""

    path: Path
    container: Container
    files: tuple[Path, ...]
    """Every file whose bytes belong to the recording, in a fixed order: what its content hash is taken over."""

    @property
    def channels(self) -> tuple[Channel, ...]:
        """By id. May grow while `messages` runs (a container without a summary); complete once it is exhausted."""
        ...

    @property
    def faults(self) -> tuple[Fault, ...]:
        """Found so far; complete once `messages` was exhausted."""
        ...

    @property
    def losses(self) -> Losses:
        """What is missing in a recording that is salvaged, found so far; complete once `messages` was exhausted."""
        ...

    @property
    def num_messages_from_summary(self) -> Mapping[int, int] | None:
        """What the container says of itself: messages by channel id; None where it says nothing."""
        ...

    def messages(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Message]:
        """Every message in the recording's own order, the same at every call; only some channels' where named.

        Args:
            channel_ids: Channels to yield; None for all.
            num_threads: Threads that read, unpack and check chunks ahead, each one chunk.
            witness: Told of the file's bytes by the way. Ignored where there is more than one file.

        Raises:
            RecordingError: The bytes cannot be read further and nothing behind them can be trusted.
        """
        ...

    def blocks(
        self, channel_ids: Collection[int] | None = None, *, num_threads: int = 1, witness: Witness | None = None
    ) -> Iterator[Block]:
        """The same messages many at a time, for whoever has something to do with every one of them.

        Arguments and errors as of `messages`.
        """
        ...

    @property
    def num_bytes_read(self) -> int:
        """Bytes of `files` that the latest pass has behind it, roughly: for a progress bar."""
        ...

    def close(self) -> None:
        """Let go of the files; messages handed out before stay valid."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
