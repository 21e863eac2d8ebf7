"""Real recordings: what is decoded from them, against rosbags' own deserialisation, Pillow and json."""

import json
from functools import cache

import numpy as np
import pytest
import zstandard
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.rosbag2 import Reader as Rosbag2Reader
from rosbags.typesys import Stores, get_types_from_msg, get_typestore

from bagmill.errors import DecodeError
from bagmill.messages import describe, header_stamp_reader, image_decoder, signal_decoder, to_depth, to_rgb
from bagmill.recordings.records import Channel


@cache
def definitions(name, text):
    store = get_typestore(Stores.EMPTY)
    store.register(get_types_from_msg(text.decode(), name))
    return store


def by_rosbags(channel, data):
    """The message as rosbags deserialises it by the channel's definition."""
    store = definitions(channel.schema_name, channel.schema_data)
    deserialise = store.deserialize_ros1 if channel.message_encoding == "ros1" else store.deserialize_cdr
    return deserialise(data, channel.schema_name)


def stamp_of(message):
    return message.header.stamp.sec * 10**9 + message.header.stamp.nanosec


def test_realsense_pictures_with_four_bytes_left_over(real_messages):
    num_seen = {"depth": 0, "image": 0}
    for channel, data in real_messages("realsense_d4xx.bag"):
        if channel.schema_name != "sensor_msgs/msg/Image":
            continue
        with pytest.raises(Exception, match="size mismatch"):
            by_rosbags(channel, data)
        expected = by_rosbags(channel, data[:-4])
        content = describe(channel, data)
        assert (content.height, content.width) == (480, 640)
        payload = image_decoder(channel)(data)
        if content.kind == "depth":
            decoded = to_depth(payload)
            assert np.array_equal(decoded, expected.data.view("<u2").reshape(480, 640))
            assert 0 < decoded.max() <= 65535
        else:
            decoded = to_rgb(payload)
            assert np.array_equal(decoded, expected.data.reshape(480, 640, 3))
        assert header_stamp_reader(channel)(data) == stamp_of(expected)
        num_seen[content.kind] += 1
    assert num_seen == {"depth": 6, "image": 5}


def test_soccer_goal_pictures(real_messages):
    num_seen = 0
    for channel, data in real_messages("soccer_goal/soccer_goal_12.mcap"):
        payload = zstandard.decompress(data)  # as its metadata.yaml says
        expected = by_rosbags(channel, payload)
        assert np.array_equal(to_rgb(image_decoder(channel)(payload)), expected.data.reshape(480, 640, 3))
        assert header_stamp_reader(channel)(payload) == stamp_of(expected)
        num_seen += 1
    assert num_seen == 2


def test_message_zoo_is_told_and_its_damage_named(real_messages):
    problems = {}
    num_decoded = 0
    for channel, data in real_messages("message_zoo_mcap/test_bag_mcap.mcap"):
        content = describe(channel, data)
        if content.problem is not None:
            problems[channel.schema_name] = content.problem
            continue
        for field, count in content.fields.items():
            try:
                assert len(signal_decoder(channel, field)(data)) == count
                num_decoded += 1
            except DecodeError as err:
                assert "float64 does not hold exactly" in err.problem
                assert channel.schema_name in ("std_msgs/msg/Int64", "std_msgs/msg/UInt64")
        message = by_rosbags(channel, data)
        read = header_stamp_reader(channel)
        if hasattr(message, "header"):
            assert read(data) == stamp_of(message)
    assert problems.keys() == {"sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage"}
    assert problems["sensor_msgs/msg/Image"].startswith(
        "640×480 rgb8 in rows of 1920 bytes needs 921600 bytes, found 30"
    )
    assert problems["sensor_msgs/msg/CompressedImage"].startswith("a damaged JPEG of 10 bytes")
    assert num_decoded > 500


def test_franka_json(real_messages):
    num_seen = 0
    for channel, data in real_messages("franka_teach/trajectory_20250527_003442_00m02s.mcap"):
        message = json.loads(data)
        if channel.topic == "/joint_states":
            names = tuple(reversed(message["name"]))
            assert describe(channel, data).names == tuple(message["name"])
            values = signal_decoder(channel, "position", names=names)(data)
            assert values.tolist() == message["position"][::-1]
            stamp = message["header"]["stamp"]
            assert header_stamp_reader(channel)(data) == stamp["sec"] * 10**9 + stamp["nanosec"]
            num_seen += 1
        elif channel.topic == "/action":
            assert signal_decoder(channel, "data[0:3]")(data).tolist() == message["data"][:3]
            assert (
                header_stamp_reader(channel)(data) == message["timestamp"]["sec"] * 10**9 + message["timestamp"]["nsec"]
            )
            num_seen += 1
        elif channel.topic == "/robot_description":
            content = describe(channel, data)
            assert (content.kind, content.problem) == ("none", None)
    assert num_seen == 8


def test_nav2_poses_and_transforms(real_messages):
    num_seen = dict.fromkeys(("/odom", "/tf", "/amcl_pose"), 0)
    decoders = {}
    for channel, data in real_messages("nav2_turtlebot.mcap"):
        if channel.topic not in num_seen or num_seen[channel.topic] >= 60:
            continue
        num_seen[channel.topic] += 1
        field = "transforms[0].transform.translation" if channel.topic == "/tf" else "pose.pose"
        if channel.topic not in decoders:
            decoders[channel.topic] = (signal_decoder(channel, field), header_stamp_reader(channel))
        decode, read = decoders[channel.topic]
        message = by_rosbags(channel, data)
        if channel.topic == "/tf":
            at = message.transforms[0].transform.translation
            expected = [at.x, at.y, at.z]
            assert read(data) == stamp_of(message.transforms[0])
        else:
            at, turn = message.pose.pose.position, message.pose.pose.orientation
            expected = [at.x, at.y, at.z, turn.x, turn.y, turn.z, turn.w]
            assert read(data) == stamp_of(message)
        assert decode(data).tolist() == expected
    assert num_seen == {"/odom": 60, "/tf": 60, "/amcl_pose": 60}


def test_aerial_arm_joints(real_messages):
    num_seen = 0
    for channel, data in real_messages("aerial_arm_mcap/ros2bag_ats_2025-12-02_12-44-28_0.mcap"):
        if channel.topic != "/servo/out/state":
            continue
        message = by_rosbags(channel, data)
        assert describe(channel, data).names == ("q0", "q1", "q2")
        decode = signal_decoder(channel, "velocity", names=("q2", "q0"))
        assert decode(data).tolist() == [message.velocity[2], message.velocity[0]]
        assert header_stamp_reader(channel)(data) == stamp_of(message)
        num_seen += 1
    assert num_seen == 124


def test_joints_without_names_are_taken_by_place(recordings_dir):
    """The same arm as SQLite, which carries no definitions: ROS's own are used."""
    num_seen = {"/servo/out/state": 0, "/servo/in/references/joint_references": 0}
    store = get_typestore(Stores.ROS2_HUMBLE)
    with Rosbag2Reader(recordings_dir / "aerial_arm_db3") as reader:
        connections = [c for c in reader.connections if c.topic in num_seen]
        for connection, _, data in reader.messages(connections):
            channel = Channel(0, connection.topic, connection.msgtype, "", b"", "cdr")
            message = store.deserialize_cdr(data, connection.msgtype)
            assert message.name == []
            assert describe(channel, data).names == ()
            assert signal_decoder(channel, "position")(data).tolist() == message.position.tolist()
            assert header_stamp_reader(channel)(data) == stamp_of(message)
            num_seen[connection.topic] += 1
    assert num_seen == {"/servo/out/state": 1262, "/servo/in/references/joint_references": 21}


def test_every_message_of_the_ros_1_bags_agrees_with_rosbags(recordings_dir):
    """Every 50th message of each: stamps and all numbers of poses, IMUs and odometry."""
    num_seen = 0
    for name in ("slam_poses.bag", "husky_imu_odom_gps.bag", "tf_example.bag", "lz4.bag"):
        with Rosbag1Reader(recordings_dir / name) as reader:
            for n, (connection, _, data) in enumerate(reader.messages()):
                if n % 50:
                    continue
                definition = connection.msgdef.data.encode()
                channel = Channel(0, connection.topic, connection.msgtype, "ros1msg", definition, "ros1")
                message = by_rosbags(channel, data)
                if hasattr(message, "header"):
                    assert header_stamp_reader(channel)(data) == stamp_of(message)
                if hasattr(message, "orientation"):
                    turn = message.orientation
                    expected = [turn.x, turn.y, turn.z, turn.w]
                    assert signal_decoder(channel, "orientation")(data).tolist() == expected
                if connection.msgtype == "turtlesim/msg/Pose":
                    assert signal_decoder(channel, "theta")(data).item() == message.theta
                num_seen += 1
    assert num_seen > 1000


def test_a_broken_schema_and_an_unknown_one_are_named(real_messages):
    problems = {}
    for name in ("bad_schema", "unsupported_encoding"):
        for channel, data in real_messages(f"mcap_oddities/{name}.mcap"):
            problems[channel.topic] = describe(channel, data).problem
    assert problems["/good/data"] is None
    assert "broken_msgs/msg/Garbage lacks the type" in problems["/bad/data"]
    assert problems["/ros2/data"] is None
    assert "no schemas" in problems["/proto/data"] or "schema encoding `protobuf`" in problems["/proto/data"]


def test_a_serialisation_that_does_not_exist_is_named(real_messages):
    for channel, data in real_messages("wrong_serialization/wrong_rmw_test_0.mcap"):
        with pytest.raises(DecodeError, match="message encoding 'wrong_format'"):
            signal_decoder(channel, "int32_value")(data)
