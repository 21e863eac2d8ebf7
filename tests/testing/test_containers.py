from collections import Counter

import pytest
from mcap.reader import make_reader
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.rosbag2 import Reader as Rosbag2Reader

from bagmill.testing import SampleMessage, Settings, healthy, healthy_messages, write_mcap, write_rosbag1, write_rosbag2

COUNTS = {"/cam_high/image": 60, "/cam_wrist/image": 61, "/cam_high/depth": 60, "/joint_states": 207, "/commands": 207}


def pose(n):
    return SampleMessage("/pose", "geometry_msgs/msg/PoseStamped", {}, log_ns=n, header_ns=n + 1, publish_ns=n + 2)


@pytest.mark.parametrize("compression", ["none", "lz4", "zstd"])
def test_an_mcap_file_holds_what_was_given(tmp_path, compression):
    path = healthy(tmp_path / "r.mcap", settings=Settings(compression=compression))
    with path.open("rb") as file:
        reader = make_reader(file, validate_crcs=True)
        summary = reader.get_summary()
        found = [(channel.topic, m.log_time, m.publish_time) for _, channel, m in reader.iter_messages()]
        assert reader.get_header().profile == "ros2"
    expected = [(m.topic, m.log_ns, m.publish_ns) for m in healthy_messages()]
    assert sorted(found) == sorted(expected)
    assert Counter(topic for topic, _, _ in found) == COUNTS
    assert {index.compression for index in summary.chunk_indexes} == {"" if compression == "none" else compression}
    assert len(summary.chunk_indexes) > 3
    assert summary.statistics.message_count == sum(COUNTS.values())


def test_an_mcap_file_keeps_the_given_order_and_all_three_times(tmp_path):
    path = write_mcap(tmp_path / "r.mcap", [pose(30), pose(10), pose(20)])
    with path.open("rb") as file:
        found = [(m.log_time, m.publish_time) for _, _, m in make_reader(file).iter_messages(log_time_order=False)]
    assert found == [(30, 32), (10, 12), (20, 22)]


@pytest.mark.parametrize(("compression", "marker"), [("none", b""), ("lz4", b"\x04\x22\x4d\x18"), ("bz2", b"BZh9")])
def test_a_ros1_bag_holds_what_was_given(tmp_path, compression, marker):
    path = healthy(tmp_path / "r.bag", settings=Settings(container="rosbag1", compression=compression))
    assert marker in path.read_bytes()
    with Rosbag1Reader(path) as reader:
        found = [(connection.topic, stamp) for connection, stamp, _ in reader.messages()]
    assert sorted(found) == sorted((m.topic, m.log_ns) for m in healthy_messages())


@pytest.mark.parametrize(("storage", "suffix"), [("sqlite3", ".db3"), ("mcap", ".mcap")])
@pytest.mark.parametrize("compression", ["none", "zstd"])
def test_a_rosbag2_folder_holds_what_was_given(tmp_path, storage, suffix, compression):
    messages = healthy_messages()
    path = write_rosbag2(tmp_path / "r", messages, storage=storage, compression=compression)
    assert sorted(file.name for file in path.iterdir()) == ["metadata.yaml", f"r{suffix}"]
    with Rosbag2Reader(path) as reader:
        found = [(connection.topic, stamp) for connection, stamp, _ in reader.messages()]
    assert sorted(found) == sorted((m.topic, m.log_ns) for m in messages)


def test_the_same_messages_have_the_same_bytes(tmp_path):
    one, again, other = (healthy(tmp_path / name).read_bytes() for name in ("a.mcap", "a.mcap", "b.mcap"))
    assert one == again
    assert len(one) == len(other)
    assert sum(left != right for left, right in zip(one, other, strict=True)) <= 8  # the name, in the header
    assert one != other
    bags = Settings(container="rosbag1")
    one, other = (healthy(tmp_path / name, settings=bags).read_bytes() for name in ("a.bag", "b.bag"))
    assert one == other


def test_a_compression_that_the_container_does_not_have_is_refused(tmp_path):
    with pytest.raises(ValueError, match="MCAP is written with compression none, lz4, zstd, not bz2"):
        write_mcap(tmp_path / "r.mcap", [], compression="bz2")
    with pytest.raises(ValueError, match="a ROS 1 bag is written with compression none, lz4, bz2, not zstd"):
        write_rosbag1(tmp_path / "r.bag", [], compression="zstd")
