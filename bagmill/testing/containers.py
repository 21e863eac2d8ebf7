"""Messages written into a container by the container's own library: nothing here shares code with bagmill's readers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar
from zlib import crc32

from mcap.writer import CompressionType
from mcap.writer import Writer as McapWriter
from rosbags.interfaces import Connection
from rosbags.rosbag1 import Writer as Rosbag1Writer
from rosbags.rosbag2 import CompressionFormat, CompressionMode, StoragePlugin
from rosbags.rosbag2 import Writer as Rosbag2Writer

from bagmill.testing.messages import SampleMessage, serialise, typestore

T = TypeVar("T")
Container = Literal["mcap", "rosbag1", "rosbag2"]
Compression = Literal["none", "lz4", "zstd", "bz2"]

_MCAP = {"none": CompressionType.NONE, "lz4": CompressionType.LZ4, "zstd": CompressionType.ZSTD}
_ROSBAG1 = {"none": None, "lz4": Rosbag1Writer.CompressionFormat.LZ4, "bz2": Rosbag1Writer.CompressionFormat.BZ2}


def write_mcap(
    path: Path,
    messages: Iterable[SampleMessage],
    *,
    compression: Compression = "zstd",
    chunk_size_bytes: int = 128 * 1024,
    topics: Sequence[tuple[str, str]] = (),
) -> Path:
    """Write an MCAP file of ROS 2 messages, with its indexes, statistics and checksums.

    A number taken from the file's name stands in its header: files of other names are other recordings, as they are with a
    robot, though they hold the same messages.

    Args:
        path: The file to write.
        messages: In the order in which they are to stand in the file.
        compression: Of its chunks: `none`, `lz4` or `zstd`.
        chunk_size_bytes: When a chunk is closed.
        topics: (topic, schema name) pairs to register first, with or without messages.
    """
    with path.open("wb") as file:
        writer = McapWriter(file, chunk_size=chunk_size_bytes, compression=_pick(_MCAP, compression, "MCAP"))
        writer.start(profile="ros2", library=f"bagmill.testing {crc32(path.name.encode()):08x}")
        schemas: dict[str, int] = {}
        channels: dict[str, int] = {}

        def channel_of(topic: str, schema_name: str) -> int:
            if schema_name not in schemas:
                text, _ = typestore("ros2").generate_msgdef(schema_name, ros_version=2)
                schemas[schema_name] = writer.register_schema(name=schema_name, encoding="ros2msg", data=text.encode())
            if topic not in channels:
                channels[topic] = writer.register_channel(
                    topic=topic, message_encoding="cdr", schema_id=schemas[schema_name]
                )
            return channels[topic]

        for topic, schema_name in topics:
            channel_of(topic, schema_name)
        for sequence, message in enumerate(messages):
            writer.add_message(
                channel_id=channel_of(message.topic, message.schema_name),
                log_time=message.log_ns,
                publish_time=message.log_ns if message.publish_ns is None else message.publish_ns,
                sequence=sequence,
                data=serialise(message, dialect="ros2"),
            )
        writer.finish()  # type: ignore[no-untyped-call]
    return path


def write_rosbag1(path: Path, messages: Iterable[SampleMessage], *, compression: Compression = "none") -> Path:
    """Write a ROS 1 bag; `compression` of its chunks: `none`, `lz4` or `bz2`."""
    format_ = _pick(_ROSBAG1, compression, "a ROS 1 bag")
    path.unlink(missing_ok=True)  # the library refuses to write over a file
    writer = Rosbag1Writer(path)
    if format_ is not None:
        writer.set_compression(format_)
    connections: dict[str, Connection] = {}
    with writer:
        for message in messages:
            if message.topic not in connections:
                connections[message.topic] = writer.add_connection(
                    message.topic, message.schema_name, typestore=typestore("ros1")
                )
            writer.write(connections[message.topic], message.log_ns, serialise(message, dialect="ros1"))
    return path


def write_rosbag2(
    path: Path,
    messages: Iterable[SampleMessage],
    *,
    compression: Compression = "none",
    storage: Literal["sqlite3", "mcap"] = "sqlite3",
) -> Path:
    """Write a rosbag2 folder that is not there yet; `compression`: `none`, or `zstd` for every message by itself."""
    plugin = StoragePlugin.SQLITE3 if storage == "sqlite3" else StoragePlugin.MCAP
    writer = Rosbag2Writer(path, version=9, storage_plugin=plugin)
    if _pick({"none": False, "zstd": True}, compression, "a rosbag2 folder"):
        writer.set_compression(CompressionMode.MESSAGE, CompressionFormat.ZSTD)
    connections: dict[str, Connection] = {}
    with writer:
        for message in messages:
            if message.topic not in connections:
                connections[message.topic] = writer.add_connection(
                    message.topic, message.schema_name, typestore=typestore("ros2")
                )
            writer.write(connections[message.topic], message.log_ns, serialise(message, dialect="ros2"))
    return path


def _pick(known: dict[str, T], compression: str, container: str) -> T:
    if compression not in known:
        raise ValueError(f"{container} is written with compression {', '.join(known)}, not {compression}")
    return known[compression]
