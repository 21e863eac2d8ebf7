"""ROS 1 bags: equal to what rosbags reads of them, damaged ones told."""

from __future__ import annotations

import struct
from collections import Counter
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
    with pytest.raises(RecordingError, match=r"invalid\.bag: the bag.* damaged .*Copy it again"):
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


def chunks_by_rosbags(path: Path) -> list[tuple[int, int]]:
    """(where its data ends, how many messages are in it) of every chunk, in the file's order."""
    with Reader(path) as reader:
        counts = Counter(entry.chunk_pos for entries in reader.indexes.values() for entry in entries)
        return [(info.datapos + info.datasize, counts[at]) for at, info in sorted(reader.chunks.items())]


def without_index(content: bytes) -> bytes:
    """As a recorder leaves a bag that is killed: the data, and a first record that knows nothing of an index."""
    data = bytearray(content[: index_pos(content)])
    for name, size in ((b"index_pos=", 8), (b"conn_count=", 4), (b"chunk_count=", 4)):
        at = data.index(name) + len(name)
        data[at : at + size] = bytes(size)
    return bytes(data)


def test_encrypted_and_older_bags_and_such_without_a_first_record_are_refused(build_bag):
    path = build_bag()
    content = path.read_bytes()
    cases = {
        r"not a ROS 1 bag of version 2\.0: it begins with b'#ROSBAG V1\.2.*rosbag fix": b"#ROSBAG V1.2\n"
        + content[13:],
        r"first record is damaged": content[:20],
    }
    for pattern, changed in cases.items():
        path.write_bytes(changed)
        with pytest.raises(RecordingError, match=pattern):
            open_recording(path)


@pytest.mark.parametrize("compression", ["none", "lz4", "bz2"])
def test_a_bag_whose_recorder_was_killed_is_whole_without_its_index(compression, build_bag, rows_of):
    path = build_bag(compression=compression)
    expected, _ = rows_of(path)
    path.write_bytes(without_index(path.read_bytes()))
    rows, faults = rows_of(path)
    assert rows == expected
    assert faults == ["index_missing"]
    with open_recording(path) as recording:
        assert recording.num_messages_from_summary is None
        assert [message.log_time_ns for message in recording.messages({1})] == [
            row[1] for row in expected if row[0] == "b"
        ]
        assert [fault.severity for fault in recording.faults] == ["warning"]
        assert "its recording was not closed" in recording.faults[0].message


def test_messages_of_the_chunk_that_was_being_written_are_read(build_bag, rows_of):
    """rosbag fills in a chunk's sizes once it is full: until then they are 0, and its records follow."""
    path = build_bag()
    expected, _ = rows_of(path)
    content = bytearray(without_index(path.read_bytes()))
    with Reader(path) as reader:
        start = reader.chunks[max(reader.chunks)].datapos
    size = content.rindex(b"size=", 0, start) + len(b"size=")
    content[size : size + 4] = content[start - 4 : start] = bytes(4)
    path.write_bytes(content)
    rows, faults = rows_of(path)
    assert rows == expected
    assert faults == ["index_missing"]


@pytest.mark.parametrize("is_closed", [True, False])
@pytest.mark.parametrize("compression", ["none", "lz4"])
def test_cut_at_every_61st_byte(compression, is_closed, build_bag, read_or_refuse):
    path = build_bag(compression=compression)
    content = path.read_bytes()
    expected = read_or_refuse(path)[0]
    ends, per_chunk = zip(*chunks_by_rosbags(path), strict=True)
    end = index_pos(content)
    whole = content if is_closed else without_index(content)
    for cut in range(4117, len(whole), 61):
        path.write_bytes(whole[:cut])
        rows, faults = read_or_refuse(path)
        num_in_whole_chunks = sum(num for num, at in zip(per_chunk, ends, strict=True) if at <= cut)
        assert rows == expected[: len(rows)]
        # Of a cut chunk that is not compressed, the messages before the cut are there, too.
        assert (
            num_in_whole_chunks <= len(rows) <= num_in_whole_chunks + (max(per_chunk) if compression == "none" else 0)
        )
        if is_closed and cut < ends[-1]:
            assert "truncated" in faults, cut
        elif is_closed:
            assert faults == ["index_damaged"] or cut < end, cut
    assert len(rows) == len(expected)


def test_a_cut_chunk_gives_the_messages_before_the_cut(build_bag, rows_of):
    path = build_bag()
    expected, _ = rows_of(path)
    (_, num_first), (end, num_second) = chunks_by_rosbags(path)[:2]
    path.write_bytes(path.read_bytes()[: end - 1])
    rows, faults = rows_of(path)
    assert rows == expected[: num_first + num_second - 1]
    assert faults == ["index_damaged", "truncated"]


def test_a_damaged_index_behind_whole_data_is_a_warning(build_bag, rows_of):
    path = build_bag()
    expected, _ = rows_of(path)
    content = path.read_bytes()
    at = index_pos(content)
    for changed in (content[:at], content[:-10], content[:at] + bytes(len(content) - at)):
        path.write_bytes(changed)
        rows, faults = rows_of(path)
        assert rows == expected
        assert faults == ["index_damaged"]


def test_zeros_behind_an_unclosed_bag_are_told(build_bag, rows_of):
    path = build_bag()
    expected, _ = rows_of(path)
    path.write_bytes(without_index(path.read_bytes()) + bytes(5000))
    rows, faults = rows_of(path)
    assert rows == expected
    assert faults == ["index_missing", "truncated"]


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
