"""One pass over a recording: every stamp, size and count as independent readers have them."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from mcap.writer import CompressionType, Writer
from rosbags.highlevel import AnyReader
from rosbags.typesys import Stores, get_typestore

from bagmill.definitions import read_definitions
from bagmill.errors import RecordingError
from bagmill.recordings import open_recording
from bagmill.streams import NO_STAMP, load_index, save_index, scan
from bagmill.testing import with_damaged_images
from bagmill.testing.robot import HIGH

HEADER = (
    "std_msgs/Header header\nfloat64 x\n"
    + "=" * 80
    + ("\nMSG: std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n" + "=" * 80)
    + "\nMSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n"
)


def stamped(sec: int, nanosec: int) -> bytes:
    """A little-endian CDR message of HEADER's type, its frame id empty."""
    return b"\0\1\0\0" + struct.pack("<iIIB3xd", sec, nanosec, 1, 0, 0.5)


def build(path: Path, rows: list[tuple[int, int, bytes]], *, name: str = "demo/msg/Stamped") -> Path:
    buffer = io.BytesIO()
    writer = Writer(buffer, compression=CompressionType.NONE)
    writer.start("ros2", "tests")
    schema = writer.register_schema(name, "ros2msg", HEADER.encode())
    channel = writer.register_channel("/a", "cdr", schema)
    writer.register_channel("/empty", "cdr", schema)
    for log, publish, data in rows:
        writer.add_message(channel, log, data, publish)
    writer.finish()
    path.write_bytes(buffer.getvalue())
    return path


def stamp_by_rosbags(message) -> int:
    """Of the header, of the message itself (rosout), or of the first transform."""
    message = message.transforms[0] if hasattr(message, "transforms") else message
    stamp = getattr(getattr(message, "header", message), "stamp", None)
    return NO_STAMP if stamp is None else stamp.sec * 10**9 + stamp.nanosec


@pytest.mark.parametrize(
    ("name", "topic", "num_messages"),
    [
        ("husky_imu_odom_gps.bag", None, 16806),
        ("slam_poses.bag", None, 26566),
        ("aerial_arm_db3", "/servo/out/state", 1262),
        ("aerial_arm_mcap", None, 6553),
        ("nav2_turtlebot.mcap", "/odom", 2639),
    ],
)
def test_stamps_equal_rosbags(name, topic, num_messages, recordings_dir):
    index = scan(recordings_dir / name)
    checked = 0
    with AnyReader([recordings_dir / name], default_typestore=get_typestore(Stores.ROS2_HUMBLE)) as reader:
        for stream in index.streams:
            connections = [item for item in reader.connections if item.topic == stream.channel.topic]
            if topic not in {None, stream.channel.topic} or not stream.num_messages:
                continue
            rows = []
            for connection, log, data in reader.messages(connections):
                rows.append((log, stamp_by_rosbags(reader.deserialize(data, connection.msgtype)), len(data)))
            columns = (stream.log_time_ns, stream.header_time_ns, stream.size_bytes)
            found = sorted(zip(*(column.tolist() for column in columns), strict=True))
            assert found == sorted(rows), stream.channel.topic
            checked += len(rows)
    assert checked == num_messages
    assert index.faults == ()


def test_every_real_recording_scans_or_is_refused(recordings_dir):
    refused = {"invalid.bag", "malformed_magic.mcap", "wrong_serialization"}
    expected = {
        "realsense_d4xx.bag": ("rosbag1", 375, 98),
        "franka_teach/trajectory_20250527_003442_00m02s.mcap": ("mcap", 23, 7),
        "tf_example": ("rosbag2", 518, 2),
        "tf_example.bag": ("rosbag1", 518, 2),
        "soccer_goal": ("rosbag2", 2, 1),
        "message_zoo_mcap": ("rosbag2", 188, 94),
        "two_strings.bag": ("rosbag1", 2, 1),
        "no_messages.bag": ("rosbag1", 0, 0),
        "lz4.bag": ("rosbag1", 8647, 9),
        "split_db3": ("rosbag2", 6074, 8),
        "mcap_oddities/bad_schema.mcap": ("mcap", 20, 2),
        "mcap_oddities/empty_channel.mcap": ("mcap", 100, 3),
        "mcap_oddities/publish_vs_log_time.mcap": ("mcap", 50, 1),
        "mcap_oddities/unsupported_encoding.mcap": ("mcap", 20, 2),
    }
    for name, facts in expected.items():
        index = scan(recordings_dir / name)
        assert (index.container, index.num_messages_from_scan, len(index.streams)) == facts, name
        assert [stream.channel.id for stream in index.streams] == list(range(len(index.streams)))
    for name in refused:
        with pytest.raises(RecordingError):
            scan(recordings_dir / name)


def test_lz4_and_bz2_give_equal_arrays(recordings_dir):
    first, second = scan(recordings_dir / "lz4.bag"), scan(recordings_dir / "bz2.bag")
    assert first.content_hash != second.content_hash
    for a in first.streams:
        (b,) = second.streams_of(a.channel.topic)
        for column in ("log_time_ns", "header_time_ns", "size_bytes"):
            np.testing.assert_array_equal(np.sort(getattr(a, column)), np.sort(getattr(b, column)))


def test_publish_times_stand_by_themselves(recordings_dir):
    (stream,) = scan(recordings_dir / "mcap_oddities" / "publish_vs_log_time.mcap").streams
    assert stream.num_messages == 50
    assert (stream.publish_time_ns != stream.log_time_ns).any()


def test_a_log_time_of_zero_among_epochs_is_named(recordings_dir):
    codes = {}
    for path in sorted((recordings_dir / "franka_teach").glob("*.mcap")):
        codes[path.stem[-7:]] = [(fault.code, fault.severity) for fault in scan(path).faults]
    assert ("log_time_unset", "warning") in [fault for faults in codes.values() for fault in faults]


def test_rows_stand_in_the_recordings_own_order(tmp_path):
    rows = [(30, 3, stamped(1, 5)), (10, 1, stamped(2, 6)), (20, 2, stamped(0, 0))]
    index = scan(build(tmp_path / "a.mcap", rows))
    full, empty = index.streams
    assert full.log_time_ns.tolist() == [30, 10, 20]
    assert full.publish_time_ns.tolist() == [3, 1, 2]
    assert full.header_time_ns.tolist() == [10**9 + 5, 2 * 10**9 + 6, 0]
    assert full.size_bytes.tolist() == [len(row[2]) for row in rows]
    assert not full.has_header_stamps
    assert full.content.kind == "numeric"
    assert empty.num_messages == 0
    assert (empty.content.kind, empty.content.problem) == ("none", None)
    assert index.size_bytes == (tmp_path / "a.mcap").stat().st_size
    assert index.faults == ()


def test_stamps_that_cannot_be_read_are_counted(tmp_path):
    rows = [(10**18 + n, 10**18, stamped(n, n) if n % 3 else b"\0\1") for n in range(9)]
    index = scan(build(tmp_path / "a.mcap", rows))
    stream = index.streams[0]
    assert (stream.header_time_ns == NO_STAMP).tolist() == [n % 3 == 0 for n in range(9)]
    assert [(fault.code, fault.message.split()[0]) for fault in index.faults] == [("header_stamp_unreadable", "3")]


def test_stamps_outside_any_recorders_life_are_counted(tmp_path):
    rows = [(log, 5, stamped(1, 1)) for log in (2**64 - 9, 0, 2 * 10**18, 10**18, 10**18)]
    index = scan(build(tmp_path / "a.mcap", rows))
    assert index.streams[0].log_time_ns.tolist() == [-9, 0, 2 * 10**18, 10**18, 10**18]
    assert [(fault.code, fault.severity) for fault in index.faults] == [
        ("stamp_out_of_range", "error"),
        ("log_time_unset", "warning"),
    ]


def test_progress_rises_to_the_whole(tmp_path):
    path = build(tmp_path / "a.mcap", [(n, n, stamped(1, 1) + bytes(1 << 20)) for n in range(1, 40)])
    calls: list[tuple[int, int]] = []
    scan(path, progress=lambda done, total: calls.append((done, total)))
    total = path.stat().st_size
    assert calls[-1] == (total, total)
    assert len(calls) > 3
    assert all(0 <= done <= of == total for done, of in calls)
    assert [done for done, _ in calls] == sorted(done for done, _ in calls)


def test_an_open_recording_stays_open_and_gives_the_same(recordings_dir):
    path = recordings_dir / "nav2_turtlebot.mcap"
    with open_recording(path) as recording:
        first = scan(recording)
        again = scan(recording)
        assert len(list(recording.messages())) == 8197
    by_path = scan(str(path))
    for other in (again, by_path):
        assert other.content_hash == first.content_hash
        assert [stream.channel for stream in other.streams] == [stream.channel for stream in first.streams]
        assert [stream.content for stream in other.streams] == [stream.content for stream in first.streams]
        for a, b in zip(other.streams, first.streams, strict=True):
            np.testing.assert_array_equal(a.header_time_ns, b.header_time_ns)


def test_a_sequence_is_the_row(recordings_dir):
    index = scan(recordings_dir / "slam_poses.bag")
    with open_recording(recordings_dir / "slam_poses.bag") as recording:
        for message in recording.messages({1}):
            stream = index.streams[message.channel_id]
            assert stream.log_time_ns[message.sequence] == message.log_time_ns
            assert stream.size_bytes[message.sequence] == len(message.data)


def test_a_real_index_survives_its_file(recordings_dir, tmp_path):
    index = scan(recordings_dir / "aerial_arm_mcap")
    save_index(index, tmp_path / "a.npz")
    loaded = load_index(tmp_path / "a.npz")
    assert [stream.channel for stream in loaded.streams] == [stream.channel for stream in index.streams]
    assert [stream.content for stream in loaded.streams] == [stream.content for stream in index.streams]
    assert sum(stream.num_messages == 0 for stream in loaded.streams) == 8


def test_damaged_payloads_do_not_stop_a_scan(recordings_dir, tmp_path):
    """Bits flipped inside payloads, behind no checksum: the scan ends with an index."""
    content = (recordings_dir / "two_strings.bag").read_bytes()
    zoo = (recordings_dir / "message_zoo_mcap" / "test_bag_mcap.mcap").read_bytes()
    choice = np.random.default_rng(6)
    for name, original in (("a.bag", content), ("a.mcap", zoo)):
        num_refused = 0
        for _ in range(40):
            changed = bytearray(original)
            for position in choice.integers(16, len(changed), 20):
                changed[position] ^= 1 << int(choice.integers(8))
            (tmp_path / name).write_bytes(changed)
            try:
                index = scan(tmp_path / name)
            except RecordingError:
                num_refused += 1
            else:
                assert index.size_bytes == len(original)
        assert num_refused < 40


def test_a_damaged_first_picture_does_not_hide_the_channel(tmp_path):
    index = scan(with_damaged_images(tmp_path / "a.mcap", topic=HIGH, frames=(0, 1)))
    (high,) = index.streams_of(HIGH)
    assert (high.content.kind, high.content.encoding, high.content.height) == ("image", "rgb8", 48)
    (none,) = scan(with_damaged_images(tmp_path / "b.mcap", topic=HIGH, frames=range(61))).streams_of(HIGH)
    assert none.content.kind == "none"
    assert none.content.problem is not None


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 0, 2)])
def test_publishers_whose_definitions_mean_the_same_are_one_stream(order: tuple[int, ...], tmp_path: Path) -> None:
    """Without a summary, a definition that says everything may come after the messages that need it."""
    root = HEADER.split("=" * 80, maxsplit=1)[0]
    texts = [b"", root.encode(), b"# of another tool\n" + HEADER.encode()]
    buffer = io.BytesIO()
    writer = Writer(buffer, compression=CompressionType.NONE, use_chunking=False)
    writer.start("ros2", "tests")
    for number, place in enumerate(order):
        schema = writer.register_schema("demo/msg/Stamped", "ros2msg", texts[place])
        channel = writer.register_channel("/a", "cdr", schema)
        writer.add_message(channel, 10 + number, stamped(5 + number, 6), 10 + number)
    path = tmp_path / "a.mcap"
    path.write_bytes(buffer.getvalue())  # not finished: it ends behind its last message
    index = scan(path)
    (stream,) = index.streams
    assert stream.header_time_ns.tolist() == [5_000_000_006, 6_000_000_006, 7_000_000_006]
    assert stream.content.fields == {"x": 1}
    assert stream.channel.schema_data == scan(path).streams[0].channel.schema_data


def test_definitions_are_given_for_what_a_recording_does_not_define(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    writer = Writer(buffer, compression=CompressionType.NONE)
    writer.start("ros2", "tests")
    channel = writer.register_channel("/a", "cdr", writer.register_schema("demo/msg/Stamped", "ros2msg", b""))
    writer.add_message(channel, 10, stamped(5, 6), 10)
    writer.finish()
    path = tmp_path / "a.mcap"
    path.write_bytes(buffer.getvalue())
    problem = scan(path).streams[0].content.problem
    assert problem is not None
    assert problem.startswith("demo/msg/Stamped comes without its definition")
    (tmp_path / "demo" / "msg").mkdir(parents=True)
    (tmp_path / "demo" / "msg" / "Stamped.msg").write_text("std_msgs/Header header\nfloat64 x\n")
    (stream,) = scan(path, definitions=read_definitions(tmp_path)).streams
    assert stream.header_time_ns.tolist() == [5_000_000_006]
    assert stream.content.fields == {"x": 1}
    # What the recording says itself counts before what is given.
    own = build(tmp_path / "own.mcap", [(10, 10, stamped(5, 6))])
    (tmp_path / "demo" / "msg" / "Stamped.msg").write_text("int8 nothing\n")
    assert scan(own, definitions=read_definitions(tmp_path)).streams[0].content.fields == {"x": 1}
