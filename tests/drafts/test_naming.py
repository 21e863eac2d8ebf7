import pytest

from bagmill.drafts.naming import (
    camera_names,
    is_command,
    joint_names,
    signal_names,
    without_repeats,
)
from bagmill.profile import FeatureSpec, parse_profile


@pytest.mark.parametrize(
    ("topics", "names"),
    [
        (["/cam_high/image"], ["cam_high"]),
        (["/wrist/color/image_raw", "/head/color/image_raw"], ["wrist", "head"]),
        (["/camera/image_raw"], ["camera"]),
        (["/left/camera/image_raw", "/right/camera/image_raw"], ["left", "right"]),
        (["/arm/left/image", "/base/left/image"], ["arm_left", "base_left"]),
        (["/cam/image_raw", "/cam/image_rect"], ["cam_image_raw", "cam_image_rect"]),
        (["/device_0/sensor_1/Color_0/image/data"], ["color_0"]),
        (["image"], ["image"]),
        (["/"], ["camera"]),
        (["/Büro/kamera 1/image"], ["kamera_1"]),
    ],
)
def test_cameras_are_called_by_what_tells_them_apart(topics: list[str], names: list[str]) -> None:
    assert list(camera_names(topics).values()) == names


@pytest.mark.parametrize(
    ("topics", "names"),
    [
        (["/turtle1/pose", "/turtle2/pose", "/imu/data"], ["turtle1_pose", "turtle2_pose", "imu"]),
        (["groundtruth", "ORB-SLAM"], ["groundtruth", "orb-slam"]),
        (["/time", "/source", "/depth", "/images"], ["time_value", "source_value", "depth_value", "images_value"]),
        (["/a/b", "/a.b", "/a/b/"], ["a_b", "a.b", "a_b_2"]),
    ],
)
def test_signals_are_called_by_their_topics_words(topics: list[str], names: list[str]) -> None:
    assert list(signal_names(topics).values()) == names


def test_arms_are_told_apart_by_their_arm() -> None:
    topics = ["/puppet_left/joint_states", "/puppet_right/joint_states"]
    assert list(joint_names(topics).values()) == ["puppet_left", "puppet_right"]


def test_every_name_is_one_that_a_profile_takes() -> None:
    topics = [
        "/",
        "//",
        "/ä",
        "/a b",
        "/time",
        "-x-",
        "/valid/data",
        "/..",
        "/a[0]/b",
        "\x1b[31m",
        "/interpolated",
        "/sequence",
    ]
    features = {f"images/{name}": FeatureSpec(channel="/a") for name in camera_names(topics).values()}
    features |= {name: FeatureSpec(channel="/a", field="b") for name in signal_names(topics).values()}
    assert len(features) == 2 * len(topics)
    content = {name: spec.model_dump(exclude_defaults=True) for name, spec in features.items()}
    assert parse_profile({"name": "n", "rate_hz": 1, "features": content}).features.keys() == features.keys()


@pytest.mark.parametrize(
    "topic", ["/commands", "/master_left/joint_states", "/gripper/command", "/cmd_vel", "/arm/target_pose"]
)
def test_commands_are_known_by_their_words(topic: str) -> None:
    assert is_command(topic)


@pytest.mark.parametrize("topic", ["/joint_states", "/imu/data", "/commander/state", "/servo/in/state"])
def test_reports_are_no_commands(topic: str) -> None:
    assert not is_command(topic)


def test_what_goes_in_to_joints_is_a_command() -> None:
    assert is_command("/servo/in/state", of_joints=True)
    assert not is_command("/servo/out/state", of_joints=True)


def test_repeated_names_are_numbered_without_taking_anothers() -> None:
    assert without_repeats(["pose", "pose", "pose_2", "imu"]) == ["pose", "pose_2", "pose_2_2", "imu"]
