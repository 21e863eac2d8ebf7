"""Small recordings named for what is wrong with them, for bagmill's tests and for those who write plugins.

What belongs here: builders of recordings, the pictures and motions they show, and the profile they are meant for. What
stays out: what production code needs, and readers. The containers' own libraries write the bytes, so a test that reads
them with bagmill judges bagmill. Long, realistic recordings are `examples/sample_recordings`.

    from bagmill.testing import FAULTS, healthy, picture, small_profile
    healthy(tmp_path / "r.mcap")
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from bagmill.testing.containers import write_mcap, write_rosbag1, write_rosbag2
from bagmill.testing.content import (
    JOINT_NAMES,
    START_NS,
    camera_stamp_ns,
    depth_picture,
    joint_command,
    joint_position,
    joint_stamp_ns,
    picture,
)
from bagmill.testing.damage import empty, foreign_file, truncated, with_bad_chunk_crc, with_message_at_time_zero
from bagmill.testing.faults import (
    with_backward_stamps,
    with_black_frames,
    with_blown_frames,
    with_clock_offset,
    with_damaged_images,
    with_frozen_frames,
    with_gap,
    with_joint_out_of_limits,
    with_low_fidelity,
    with_missing_channel,
    with_nan_joints,
    with_no_overlap,
    with_wrong_rate,
)
from bagmill.testing.messages import SampleMessage, depth_values, image_schema, image_values
from bagmill.testing.profile import small_profile, write_small_profile
from bagmill.testing.robot import Settings, healthy, healthy_messages

FAULTS: Final[dict[str, Callable[[Path], Path]]] = {
    build.__name__: build
    for build in (
        with_gap,
        with_wrong_rate,
        with_clock_offset,
        with_backward_stamps,
        with_black_frames,
        with_blown_frames,
        with_frozen_frames,
        with_nan_joints,
        with_joint_out_of_limits,
        with_missing_channel,
        with_damaged_images,
        with_low_fidelity,
        with_no_overlap,
        with_message_at_time_zero,
        truncated,
        with_bad_chunk_crc,
        empty,
        foreign_file,
    )
}
"""Every builder of a recording with a fault, by its name; each takes the path to write."""

__all__ = [
    "FAULTS",
    "JOINT_NAMES",
    "START_NS",
    "SampleMessage",
    "Settings",
    "camera_stamp_ns",
    "depth_picture",
    "depth_values",
    "empty",
    "foreign_file",
    "healthy",
    "healthy_messages",
    "image_schema",
    "image_values",
    "joint_command",
    "joint_position",
    "joint_stamp_ns",
    "picture",
    "small_profile",
    "truncated",
    "with_backward_stamps",
    "with_bad_chunk_crc",
    "with_black_frames",
    "with_blown_frames",
    "with_clock_offset",
    "with_damaged_images",
    "with_frozen_frames",
    "with_gap",
    "with_joint_out_of_limits",
    "with_low_fidelity",
    "with_message_at_time_zero",
    "with_missing_channel",
    "with_nan_joints",
    "with_no_overlap",
    "with_wrong_rate",
    "write_mcap",
    "write_rosbag1",
    "write_rosbag2",
    "write_small_profile",
]
