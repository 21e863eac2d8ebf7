from io import BytesIO

import numpy as np
import pytest
from PIL import Image
from rosbags.typesys import Stores, get_typestore

from bagmill.testing import SampleMessage, depth_picture, depth_values, image_schema, image_values, picture
from bagmill.testing.messages import serialise

STORES = {"ros1": get_typestore(Stores.ROS1_NOETIC), "ros2": get_typestore(Stores.ROS2_HUMBLE)}


def read_back(message, dialect):
    store = STORES[dialect]
    read = store.deserialize_ros1 if dialect == "ros1" else store.deserialize_cdr
    return read(serialise(message, dialect=dialect), message.schema_name)


def sample(schema_name, values, **times):
    return SampleMessage(topic="/t", schema_name=schema_name, values=values, log_ns=5, **times)


@pytest.mark.parametrize("dialect", ["ros1", "ros2"])
def test_any_message_type_is_written_from_nested_mappings(dialect):
    values = {
        "header": {"frame_id": "odom"},
        "child_frame_id": "base",
        "pose": {"pose": {"position": {"x": 1.5, "y": -2}, "orientation": {"w": 1}}, "covariance": np.arange(36)},
    }
    odometry = read_back(sample("nav_msgs/msg/Odometry", values, header_ns=1_700_000_000_123_456_789), dialect)
    assert (odometry.header.stamp.sec, odometry.header.stamp.nanosec) == (1_700_000_000, 123_456_789)
    assert odometry.header.frame_id == "odom"
    assert odometry.pose.pose.position.x == 1.5
    assert odometry.pose.pose.position.z == 0.0
    np.testing.assert_array_equal(odometry.pose.covariance, np.arange(36.0))
    np.testing.assert_array_equal(odometry.twist.covariance, np.zeros(36))


@pytest.mark.parametrize("dialect", ["ros1", "ros2"])
def test_lists_of_messages_text_and_truth_values(dialect):
    poses = [{"header": {"frame_id": "a"}}, {"pose": {"orientation": {"w": 1.0}}}]
    path = read_back(sample("nav_msgs/msg/Path", {"poses": poses}), dialect)
    assert [pose.header.frame_id for pose in path.poses] == ["a", ""]
    assert path.poses[1].pose.orientation.w == 1.0
    joints = read_back(sample("sensor_msgs/msg/JointState", {"name": ["x", "y"], "position": [1, 2]}), dialect)
    assert list(joints.name) == ["x", "y"]
    assert joints.position.dtype == np.float64
    assert read_back(sample("std_msgs/msg/Bool", {"data": True}), dialect).data is True
    assert read_back(sample("std_msgs/msg/String", {}), dialect).data == ""


def test_a_field_that_is_not_there_is_named():
    with pytest.raises(ValueError, match=r"JointState has no field postion; it has header, name, position"):
        serialise(sample("sensor_msgs/msg/JointState", {"postion": [1.0]}), dialect="ros2")


@pytest.mark.parametrize("encoding", ["rgb8", "bgr8", "rgba8", "bgra8", "mono8"])
def test_raw_pixels_are_those_of_the_picture(encoding):
    frame = picture("cam_high", 4, height=10, width=13)
    values = image_values(frame, encoding=encoding)
    image = read_back(sample(image_schema(encoding), values), "ros2")
    assert (image.height, image.width, image.encoding) == (10, 13, encoding)
    pixels = image.data.reshape(10, image.step)
    if encoding == "mono8":
        np.testing.assert_array_equal(pixels, np.asarray(Image.fromarray(frame).convert("L")))
        return
    pixels = pixels.reshape(10, 13, -1)
    order = [2, 1, 0] if encoding.startswith("bgr") else [0, 1, 2]
    np.testing.assert_array_equal(pixels[..., order], frame)
    assert pixels.shape[2] == 3 or (pixels[..., 3] == 255).all()


@pytest.mark.parametrize(("encoding", "largest_error"), [("png", 0), ("jpeg", 12)])
def test_compressed_pixels_are_those_of_the_picture(encoding, largest_error):
    frame = picture("cam_wrist", 4)
    image = read_back(sample(image_schema(encoding), image_values(frame, encoding=encoding)), "ros2")
    assert image.format == encoding
    with Image.open(BytesIO(image.data.tobytes())) as file:
        assert file.format == encoding.upper()
        assert np.abs(np.asarray(file).astype(int) - frame).max() <= largest_error


def test_depth_is_little_endian_16_bit():
    depth = depth_picture(3)
    image = read_back(sample("sensor_msgs/msg/Image", depth_values(depth)), "ros1")
    assert (image.encoding, image.step, image.is_bigendian) == ("16UC1", 128, 0)
    np.testing.assert_array_equal(np.frombuffer(image.data.tobytes(), "<u2").reshape(48, 64), depth)
