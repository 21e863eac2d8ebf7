"""Recordings that others made, through Dagster: each with the profile its rule gives it, all in one run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import zarr
from rosbags.rosbag1 import Reader

from bagmill.deployment import ProfileChoice
from resources.workers import LocalWorkers

PROFILES = Path(__file__).parents[2] / "examples" / "profiles"
RULES = {
    "realsense*": "realsense_d4xx",
    "franka_teach/*": "franka_teach",
    "nav2*": "nav2_turtlebot",
    "slam*": "slam_poses",
    "husky*": "husky_imu_odom_gps",
    "*": "lz4_turtlesim",
}
RECORDINGS = [
    "franka_teach/trajectory_20250527_003442_00m02s.mcap",
    "franka_teach/trajectory_20250527_003848_00m00s.mcap",
    "husky_imu_odom_gps.bag",
    "malformed_magic.mcap",
    "nav2_turtlebot.mcap",
    "realsense_d4xx.bag",
    "slam_poses.bag",
]


def test_real_recordings_go_through_in_one_run(line, recordings_dir: Path):
    rules = tuple(ProfileChoice(match=match, profile=PROFILES / f"{name}.yaml") for match, name in RULES.items())
    line.deployment = line.deployment.model_copy(update={"profiles": rules})
    line = replace(line, workers=LocalWorkers(processes=2))
    for name in RECORDINGS:
        link = line.deployment.recordings / name
        link.parent.mkdir(exist_ok=True)
        link.symlink_to(recordings_dir / name)
    episodes = line.register()
    assert episodes == sorted(name.replace("/", "__") for name in RECORDINGS)
    result = line.ingest(episodes[0], episodes[-1])
    assert not result.success, "one of them is no MCAP file"

    good = set(episodes) - {"malformed_magic.mcap"}
    assert line.materialised("recording") == line.materialised("episode") == line.materialised("preview") == good
    assert line.failed("episode") == {"malformed_magic.mcap"}
    assert line.dataset.quarantined() == ["malformed_magic.mcap"]
    assert "realsense_d4xx.bag" in line.check_state("episode", "depth_exact")["succeeded"]
    assert "realsense_d4xx.bag" in line.check_state("recording", "clocks_agree")["failed"]
    assert (
        line.latest("episode", "franka_teach__trajectory_20250527_003442_00m02s.mcap").metadata["num_ticks"].value == 8
    )
    assert line.latest("episode", "slam_poses.bag").metadata["num_frames"].value == 0

    (version,) = line.dataset.published("realsense_d4xx.bag")
    group = zarr.open_group(line.dataset.episode_path("realsense_d4xx.bag", version), mode="r")
    with Reader(recordings_dir / "realsense_d4xx.bag") as reader:
        payloads = [bytes(data) for c, _, data in reader.messages() if "Depth" in c.topic and c.topic.endswith("/data")]
    stored, sequence = np.asarray(group["depth/camera"][:]), np.asarray(group["sequence/depth/camera"][:])
    shown = [(tick, number) for tick, number in enumerate(sequence.tolist()) if number >= 0]
    assert {number for _, number in shown} == set(range(6))
    for tick, number in shown:
        # Four bytes of the recorder's own stand behind the pixels.
        assert stored[tick].astype("<u2").tobytes() == payloads[number][-4 - 640 * 480 * 2 : -4]
