import itertools

import numpy as np
import pytest

from bagmill.testing import camera_stamp_ns, depth_picture, joint_command, joint_position, picture
from bagmill.testing.content import JOINT_LIMIT_RAD, START_NS, joint_stamp_ns, joint_velocity


@pytest.mark.parametrize("camera", ["cam_high", "cam_wrist"])
def test_pictures_differ_between_frames_and_cameras_and_are_neither_black_nor_blown(camera):
    frames = [picture(camera, n) for n in range(61)]
    assert all(frame.shape == (48, 64, 3) and frame.dtype == np.uint8 for frame in frames)
    assert all(np.mean(one != other) > 0.5 for one, other in itertools.pairwise(frames))
    assert min(frame.min() for frame in frames) >= 16
    assert max(frame.max() for frame in frames) <= 240
    assert not np.array_equal(picture("cam_high", 5), picture("cam_wrist", 5))


def test_a_pictures_channels_can_be_told_apart():
    red, green, blue = np.moveaxis(picture("cam_high", 3).astype(int), -1, 0)
    assert np.abs(red - blue).mean() > 30
    assert np.abs(red - green).mean() > 30


def test_depth_has_a_hole_and_the_highest_number():
    for n in (0, 17, 59, 200):
        depth = depth_picture(n)
        assert depth.shape == (48, 64)
        assert depth.dtype == np.uint16
        assert np.count_nonzero(depth == 0) == 12 * 8
        assert depth[-1, -1] == 65_535
    assert not np.array_equal(depth_picture(1), depth_picture(2))


def test_joints_stay_within_their_limits_and_commands_are_ahead_of_them():
    t = np.linspace(-1, 60, 10_000)
    assert np.abs(joint_position(t)).max() < JOINT_LIMIT_RAD
    np.testing.assert_array_equal(joint_command(t), joint_position(t + 0.05))
    assert joint_position(0.3).shape == (3,)


def test_velocity_is_the_derivative_of_position():
    t = np.linspace(0, 2, 2001)
    np.testing.assert_allclose(joint_velocity(t)[1:-1], np.gradient(joint_position(t), t, axis=0)[1:-1], atol=1e-4)


def test_stamps_are_those_of_30_and_100_hz():
    assert camera_stamp_ns("cam_high", 0) == START_NS
    assert camera_stamp_ns("cam_high", 30) == START_NS + 1_000_000_000
    assert camera_stamp_ns("cam_wrist", 30) == START_NS + 996_000_000
    assert joint_stamp_ns(105) - joint_stamp_ns(5) == 1_000_000_000
