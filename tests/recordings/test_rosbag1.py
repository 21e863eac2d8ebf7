"""ROS 1 bags: equal to what rosbags reads of them, damaged ones told."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from rosbags.rosbag1 import Reader, Writer

from bagmill.errors import RecordingError
from bagmill.recordings import open_recording

REAL = [
    "realsense_d4xx.bag",
    "slam_poses.bag",
    "tf_example.bag",
    "husky_imu_odom_gps.bag",
    "two_strings.bag",
    "lz4.bag",
    "bz2.bag",
]
Connections = dict[int, str]


@pytest.fixture
def build_bag(tmp_path):
    """A bag of two topics and three connections in several chunks, written by rosbags."""

    def build(name: str = "a.bag", *, compression: str = "none", num_messages: int = 60) -> Path:
        path = tmp_path / name
        path.unlink(missing_ok=True)
        writer = Writer(path)
        writer.chunk_threshold = 500
        if compression != "none":
            writer.set_compression(Writer.CompressionFormat[compression.upper()])
        with writer:
            definition = {"msgdef": "string data", "md5sum": "992ce8a1687cec8c8bd883ec73ca41d1"}
            first = writer.add_connection("/a", "std_msgs/msg/String", callerid="/one", latching=1, **definition)
            second = writer.add_connection("b", "std_msgs/msg/String", callerid="/one", **definition)
            third = writer.add_connection("/a", "std_msgs/msg/String", callerid="/two", **definition)
            for n in range(num_messages):
                text = f"message {n} ".encode() * 4
                stamp = 1_700_000_000_000_000_000 + n * 10**6 - (n % 5) * 3 * 10**6  # not in order
                writer.write([first, second, third][n % 3], stamp, struct.pack("<I", len(text)) + text)
        return path

    return build


def rows_by_rosbags(path: Path) -> list[tuple[str, int, bytes]]:
    """In the file's order: by the chunk and offset that the index names for every message."""
    with Reader(path) as reader:
        rows = {id(connection): [] for connection in reader.connections}
        for connection, stamp, data in reader.messages():
            rows[id(connection)].append((stamp, data))
        placed = []
        for connection in reader.connections:
            entries = reader.indexes[connection.id]
            assert [entry.time for entry in entries] == [stamp for stamp, _ in rows[id(connection)]]
            placed += [
                ((entry.chunk_pos, entry.offset), connection.topic, stamp, data)
                for entry, (stamp, data) in zip(entries, rows[id(connection)], strict=True)
            ]
    return [row[1:] for row in sorted(placed)]


@pytest.mark.parametrize("name", REAL)
def test_real_bags_equal_rosbags(name, recordings_dir, rows_of):
    rows, faults = rows_of(recordings_dir / name)
    assert [(topic, log, data) for topic, log, _, data in rows] == rows_by_rosbags(recordings_dir / name)
    assert all(log == publish for _, log, publish, _ in rows)
    assert faults == []


@pytest.mark.parametrize("name", REAL)
def test_channels_of_real_bags_equal_rosbags_connections(name, recordings_dir):
    with Reader(recordings_dir / name) as reader:
        expected = {(item.topic, item.msgtype, item.msgdef.data.encode()) for item in reader.connections}
        counts = {topic: info.msgcount for topic, info in reader.topics.items()}
    with open_recording(recordings_dir / name) as recording:
        found = [(item.topic, item.schema_name, item.schema_data) for item in recording.channels]
        assert {item.schema_encoding for item in recording.channels} == {"ros1msg"}
        assert {item.message_encoding for item in recording.channels} == {"ros1"}
        by_summary = recording.num_messages_from_summary
        totals = {topic: sum(by_summary[n] for n, row in enumerate(found) if row[0] == topic) for topic in counts}
    assert set(found) == expected
    assert len(found) == len(expected)
    assert totals == counts


def test_lz4_and_bz2_hold_the_same(recordings_dir, rows_of):
    lz4, bz2 = rows_of(recordings_dir / "lz4.bag"), rows_of(recordings_dir / "bz2.bag")
    assert len(lz4[0]) == 8647
    assert sorted(lz4[0]) == sorted(bz2[0])


def test_topics_keep_their_names(recordings_dir):
    with open_recording(recordings_dir / "slam_poses.bag") as recording:
        assert not any(channel.topic.startswith("/") for channel in recording.channels)


def test_a_bag_without_messages(recordings_dir, rows_of):
    assert rows_of(recordings_dir / "no_messages.bag") == ([], [])


def test_a_damaged_bag_is_refused_in_one_sentence(recordings_dir):
    with pytest.raises(RecordingError, match=r"invalid\.bag: the bag.* damaged .*rosbag reindex"):
        open_recording(recordings_dir / "invalid.bag")


@pytest.mark.parametrize("compression", ["none", "lz4", "bz2"])
def test_built_bags_equal_rosbags(compression, build_bag, rows_of):
    path = build_bag(compression=compression)
    rows, faults = rows_of(path)
    assert [(topic, log, data) for topic, log, _, data in rows] == rows_by_rosbags(path)
    assert len(rows) == 60
    assert faults == []
    with open_recording(path) as recording:
        assert [(channel.topic, channel.schema_name) for channel in recording.channels] == [
            ("/a", "std_msgs/msg/String"),
            ("b", "std_msgs/msg/String"),
        ]
        assert recording.num_messages_from_summary == {0: 40, 1: 20}
        assert recording.channels[0].metadata["latching"] == "1"
        assert [row.sequence for row in recording.messages({1})] == list(range(20))


def index_pos(content: bytes) -> int:
    position = content.index(b"index_pos=") + 10
    return struct.unpack_from("<Q", content, position)[0]


def test_cut_unindexed_encrypted_and_older_bags_are_refused(build_bag):
    path = build_bag()
    content = path.read_bytes()
    at = content.index(b"index_pos=") + 10
    cases = {
        r"cut off at byte 5000: its index is due at byte \d+\. Run `rosbag reindex a\.bag`": content[:5000],
        r"has no index: its recording was not closed\. Run `rosbag reindex": content[:at]
        + bytes(8)
        + content[at + 8 :],
        r"index is damaged in its record at byte \d+ \(the file ends inside it\)": content[:-10],
        r"index is damaged": content[: index_pos(content)] + bytes(len(content) - index_pos(content)),
        r"not a ROS 1 bag of version 2\.0: it begins with b'#ROSBAG V1\.2.*rosbag fix": b"#ROSBAG V1.2\n"
        + content[13:],
        r"first record is damaged": content[:20],
    }
    for pattern, changed in cases.items():
        path.write_bytes(changed)
        with pytest.raises(RecordingError, match=pattern):
            open_recording(path)


@pytest.mark.parametrize("compression", ["lz4", "bz2"])
def test_a_damaged_chunk_is_left_out_and_reading_goes_on(compression, build_bag, rows_of):
    path = build_bag(compression=compression)
    expected, _ = rows_of(path)
    with Reader(path) as reader:
        second = sorted(reader.chunks)[1]
        start, size = reader.chunks[second].datapos, reader.chunks[second].datasize
    content = bytearray(path.read_bytes())
    content[start + size // 2 : start + size] = bytes(size - size // 2)
    path.write_bytes(content)
    rows, faults = rows_of(path)
    assert 0 < len(rows) < len(expected)
    assert rows[0] == expected[0]
    assert rows[-1] == expected[-1]
    assert set(faults) == {"chunk_damaged", "count_differs_from_summary"}


def test_behind_a_wrong_length_reading_goes_on_at_the_next_chunk(build_bag, rows_of):
    path = build_bag()
    expected, _ = rows_of(path)
    with Reader(path) as reader:
        second = sorted(reader.chunks)[1]
        position = reader.chunks[second].datapos - 4
    content = bytearray(path.read_bytes())
    for value in (0xFFFFFFFF, 10_000):
        struct.pack_into("<I", content, position, value)
        path.write_bytes(content)
        rows, faults = rows_of(path)
        assert len(expected) - 15 < len(rows) < len(expected)
        assert rows[-1] == expected[-1]
        assert set(faults) == {"record_damaged", "count_differs_from_summary"}


@pytest.mark.parametrize("compression", ["none", "lz4", "bz2"])
def test_200_damaged_copies_do_not_crash(compression, build_bag, damaged_copies, read_or_refuse):
    path = build_bag(compression=compression)
    expected = read_or_refuse(path)
    content = path.read_bytes()
    num_short = 0
    # The bag header's record is padded to 4 KiB with blanks: damage begins behind it.
    for what, changed in damaged_copies(content, count=200, seed=5, start=4117):
        path.write_bytes(changed)
        result = read_or_refuse(path)
        if result is not None and len(result[0]) != len(expected[0]):
            num_short += 1
            assert result[1], what
    assert num_short > 5


def test_a_second_pass_gives_the_same(build_bag):
    with open_recording(build_bag()) as recording:
        first = [(row.channel_id, row.sequence, row.log_time_ns, bytes(row.data)) for row in recording.messages()]
        assert [
            (row.channel_id, row.sequence, row.log_time_ns, bytes(row.data)) for row in recording.messages()
        ] == first
        assert recording.num_bytes_read == recording.path.stat().st_size
