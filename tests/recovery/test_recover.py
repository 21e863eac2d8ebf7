"""What a recording is as MCAP: equal messages, a clean file, and nothing half-written."""

from __future__ import annotations

import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from mcap.reader import make_reader
from mcap.stream_reader import StreamReader
from mcap.writer import CompressionType

from bagmill.errors import RecordingError, StorageError
from bagmill.recordings import open_recording
from bagmill.recovery import recover
from bagmill.streams import scan
from bagmill.testing import Settings, healthy

Rows = list[tuple[str, int, int, bytes]]
CONTAINERS = [
    ("mcap", "none"),
    ("mcap", "zstd"),
    ("mcap", "lz4"),
    ("rosbag1", "none"),
    ("rosbag1", "bz2"),
    ("rosbag1", "lz4"),
    ("rosbag2", "none"),
    ("rosbag2", "zstd"),
]
_SUFFIXES = {"mcap": ".mcap", "rosbag1": ".bag", "rosbag2": ""}


def rows_of(path: Path) -> Rows:
    with open_recording(path) as recording:
        return [
            (recording.channels[m.channel_id].topic, m.log_time_ns, m.publish_time_ns, bytes(m.data))
            for m in recording.messages()
        ]


@pytest.mark.parametrize(("container", "compression"), CONTAINERS)
def test_every_container_gives_equal_messages_in_a_clean_file(tmp_path: Path, container: str, compression: str) -> None:
    settings = Settings(container=container, compression=compression, num_frames=12)  # type: ignore[arg-type]
    source = healthy(tmp_path / f"source{_SUFFIXES[container]}", settings=settings)

    told = recover(source, tmp_path / "out.mcap")

    index = scan(tmp_path / "out.mcap")
    assert index.faults == ()
    assert not told.losses
    assert told.num_messages == index.num_messages_from_scan == sum(told.counts.values())
    assert rows_of(tmp_path / "out.mcap") == rows_of(source)
    with (tmp_path / "out.mcap").open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        assert summary is not None
        assert summary.statistics is not None
        assert summary.statistics.message_count == told.num_messages
        assert {chunk.compression for chunk in summary.chunk_indexes} == {"zstd"}
        assert {channel.topic for channel in summary.channels.values()} == set(told.counts)
        ros = 1 if container == "rosbag1" else 2
        assert reader.get_header().profile == f"ros{ros}"
        assert {schema.encoding for schema in summary.schemas.values()} == {f"ros{ros}msg"}
        names = {schema.name for schema in summary.schemas.values()}
        assert ("sensor_msgs/JointState" if ros == 1 else "sensor_msgs/msg/JointState") in names
        assert {channel.message_encoding for channel in summary.channels.values()} == {"ros1" if ros == 1 else "cdr"}
        assert sum(1 for _ in reader.iter_messages()) == told.num_messages


def test_a_cut_recording_gives_what_stands_before_the_cut(tmp_path: Path) -> None:
    whole = healthy(tmp_path / "whole.mcap", settings=Settings(compression="none"))
    content = whole.read_bytes()
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(content[: len(content) // 2])

    told = recover(cut, tmp_path / "out.mcap")

    rows = rows_of(whole)
    assert scan(tmp_path / "out.mcap").faults == ()
    assert rows_of(tmp_path / "out.mcap") == rows[: told.num_messages]
    assert len(rows) // 3 < told.num_messages < len(rows)
    assert told.losses.num_messages is None
    assert [loss.kind for loss in told.losses.entries] == ["truncated", "truncated"]


def test_numbers_metadata_and_attachments_of_an_mcap_are_kept(tmp_path: Path, build_mcap: Callable[..., bytes]) -> None:
    (tmp_path / "source.mcap").write_bytes(build_mcap(compression=CompressionType.LZ4))

    recover(tmp_path / "source.mcap", tmp_path / "out.mcap")

    records = list(StreamReader(io.BytesIO((tmp_path / "out.mcap").read_bytes())).records)
    by_kind: dict[str, list[object]] = {}
    for record in records:
        by_kind.setdefault(type(record).__name__, []).append(record)
    assert {message.sequence for message in by_kind["Message"]} == {999}  # type: ignore[attr-defined]
    (metadata,) = by_kind["Metadata"]
    assert (metadata.name, metadata.metadata) == ("about", {"robot": "none"})  # type: ignore[attr-defined]
    (attachment,) = by_kind["Attachment"]
    assert attachment.data == b"attached"  # type: ignore[attr-defined]
    assert (attachment.create_time, attachment.log_time) == (1, 2)  # type: ignore[attr-defined]
    channels = {channel.topic: channel.metadata for channel in by_kind["Channel"]}  # type: ignore[attr-defined]
    assert channels["/a"] == {"qos": "x"}


def test_qos_profiles_of_a_database_are_kept_and_old_ones_get_definitions(tmp_path: Path) -> None:
    folder = healthy(tmp_path / "source", settings=Settings(container="rosbag2", num_frames=3))
    (database,) = folder.glob("*.db3")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE topics SET offered_qos_profiles = '- history: 3'")
        connection.execute("DELETE FROM message_definitions")
    connection.close()

    recover(database, tmp_path / "out.mcap")

    with open_recording(tmp_path / "out.mcap") as recording:
        for _ in recording.messages():
            pass
        assert {channel.metadata["offered_qos_profiles"] for channel in recording.channels} == {"- history: 3"}
        assert all(b"string[] name" in c.schema_data for c in recording.channels if "Joint" in c.schema_name)
        assert {channel.schema_encoding for channel in recording.channels} == {"ros2msg"}


def test_nothing_is_written_over_and_nothing_half_written_stays(tmp_path: Path) -> None:
    source = healthy(tmp_path / "source.mcap", settings=Settings(num_frames=3))
    before = source.read_bytes()
    out = tmp_path / "out.mcap"
    out.write_bytes(b"mine")

    with pytest.raises(StorageError, match="is there already"):
        recover(source, out)
    assert out.read_bytes() == b"mine"
    recover(source, out, is_replacing=True)
    assert rows_of(out) == rows_of(source)
    with pytest.raises(StorageError, match="is the recording itself"):
        recover(source, source, is_replacing=True)
    (tmp_path / "link.mcap").symlink_to(source)
    with pytest.raises(StorageError, match="is the recording itself"):
        recover(source, tmp_path / "link.mcap", is_replacing=True)
    with pytest.raises(StorageError, match="is a folder"):
        recover(source, tmp_path)
    with pytest.raises(StorageError, match="folder is not there"):
        recover(source, tmp_path / "none" / "out.mcap")
    (tmp_path / "empty.mcap").write_bytes(before[:200])
    with pytest.raises(RecordingError, match="no message"):
        recover(tmp_path / "empty.mcap", tmp_path / "second.mcap")
    assert source.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.mcap", "link.mcap", "out.mcap", "source.mcap"]


def test_an_interrupt_leaves_nothing(tmp_path: Path) -> None:
    source = healthy(tmp_path / "source.mcap", settings=Settings(num_frames=3))

    def interrupt(done: int, total: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recover(source, tmp_path / "out.mcap", progress=interrupt)
    assert [path.name for path in tmp_path.iterdir()] == ["source.mcap"]


def test_a_definition_that_a_later_publisher_completes_is_whole(tmp_path: Path) -> None:
    """A channel's schema record stands before its messages: it must hold what is only known at the end."""
    from mcap.writer import Writer

    source = tmp_path / "source.mcap"
    with source.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2")
        bare = writer.register_schema("demo/msg/Pair", "ros2msg", b"demo/Part part\n")
        full = writer.register_schema(
            "demo/msg/Pair", "ros2msg", b"demo/Part part\n" + b"=" * 80 + b"\nMSG: demo/Part\nfloat64 value\n"
        )
        for schema in (bare, full):
            channel = writer.register_channel("/pair", "cdr", schema)
            writer.add_message(channel, 1, b"\0\1\0\0" + bytes(8), 1)
        writer.finish()

    recover(source, tmp_path / "out.mcap")

    with open_recording(tmp_path / "out.mcap") as recording:
        assert len(list(recording.messages())) == 2
        (channel,) = recording.channels
        assert b"float64 value" in channel.schema_data
    records = StreamReader(io.BytesIO((tmp_path / "out.mcap").read_bytes())).records
    schemas = [record for record in records if type(record).__name__ == "Schema"]
    assert schemas
    assert all(b"float64 value" in schema.data for schema in schemas)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "name",
    ["lz4.bag", "bz2.bag", "two_strings.bag", "aerial_arm_db3", "soccer_goal", "split_db3", "nav2_turtlebot.mcap",
     "message_zoo_mcap", "franka_teach", "realsense_d4xx.bag"],
)  # fmt: skip
def test_real_recordings_give_equal_messages(recordings_dir: Path, tmp_path: Path, name: str) -> None:
    source = recordings_dir / name
    if name == "franka_teach":
        source = sorted(source.glob("*.mcap"))[0]
    recover(source, tmp_path / "out.mcap")

    assert rows_of(tmp_path / "out.mcap") == rows_of(source)
    with open_recording(tmp_path / "out.mcap") as recording:
        assert sum(1 for _ in recording.messages()) > 0
        assert recording.faults == ()
