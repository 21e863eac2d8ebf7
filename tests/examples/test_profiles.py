"""Every example profile is valid, fits its recording, and asks nothing of it that it does not have."""

from pathlib import Path

import pytest

from bagmill.ingest.timeline import make_timeline
from bagmill.plan import resolve
from bagmill.profile import load_profile
from bagmill.quality.judge import judge, resolve_checks
from bagmill.quality.metric import RecordingEvidence, TimelineEvidence
from bagmill.streams.scan import scan
from examples.sample_recordings import SAMPLES

FOLDER = Path(__file__).parents[2] / "examples" / "profiles"
PROFILES = sorted(FOLDER.glob("*.yaml"))

REAL = [
    ("realsense_d4xx", "realsense_d4xx.bag", {"depth/camera": (480, 640), "images/camera": (480, 640, 3)}, 15),
    ("franka_teach", "franka_teach/trajectory_20250527_003442_00m02s.mcap", {"state": (8,), "action": (7,)}, 8),
    ("franka_teach", "franka_teach/trajectory_20250527_003848_00m00s.mcap", {"state": (8,), "pose": (6,)}, 3),
    ("nav2_turtlebot", "nav2_turtlebot.mcap", {"odom/position": (3,), "amcl/orientation": (4,)}, 1891),
    ("slam_poses", "slam_poses.bag", {"ground_truth/position": (3,), "orb_slam/orientation": (4,)}, 7308),
    ("husky_imu_odom_gps", "husky_imu_odom_gps.bag", {"imu/orientation": (4,), "gps/latitude": (1,)}, 3952),
    ("soccer_goal", "soccer_goal", {"images/camera": (480, 640, 3)}, 2),
    ("aerial_arm_mcap", "aerial_arm_mcap", {"state": (3,), "action": (3,)}, 54),
    ("aerial_arm_db3", "aerial_arm_db3", {"state": (3,), "action": (3,)}, 500),
    ("tf_example", "tf_example", {"base/position": (3,), "base/orientation": (4,)}, 517),
    ("tf_example", "tf_example.bag", {"base/position": (3,), "base/orientation": (4,)}, 517),
    ("lz4_turtlesim", "lz4.bag", {"turtle1/heading": (1,), "action/forward": (1,)}, 333),
    ("lz4_turtlesim", "bz2.bag", {"turtle1/heading": (1,), "action/forward": (1,)}, 333),
]
WARNED = {
    # 55 years between bag time and headers.
    "realsense_d4xx": {"clocks_agree"},
    # The recorder lost 1.8 s of odometry.
    "nav2_turtlebot": {"gaps"},
}


def judged(profile, path):
    """The plan, the timeline, and the names of failed checks by severity, of the two stages that need no payloads."""
    index = scan(path)
    plan = resolve(profile, index)
    timeline = make_timeline(plan)
    results = judge("recording", RecordingEvidence(profile, index), profile)
    results += judge("timeline", TimelineEvidence(plan, timeline), profile)
    failed = {"error": set(), "warn": set()}
    for result in results:
        if not result.is_passed:
            failed[result.severity].add(result.name)
    return plan, timeline, failed


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_profile_is_valid_and_its_checks_exist(path):
    profile = load_profile(path)
    assert profile.name == path.stem
    assert resolve_checks(profile).keys() >= {name for name, spec in profile.checks.items() if spec.severity != "off"}


@pytest.mark.parametrize(("name", "recording", "shapes", "num_ticks"), REAL)
def test_a_profile_fits_its_recording(recordings_dir, name, recording, shapes, num_ticks):
    plan, timeline, failed = judged(load_profile(FOLDER / f"{name}.yaml"), recordings_dir / recording)
    assert plan.omitted == ()
    assert shapes.items() <= {feature.name: feature.shape for feature in plan.features}.items()
    assert timeline.num_ticks == num_ticks
    assert failed == {"error": set(), "warn": WARNED.get(name, set())}


def test_every_profile_has_a_recording():
    assert {name for name, *_ in REAL} | {"aloha_demo"} == {path.stem for path in PROFILES}


@pytest.mark.parametrize(
    ("name", "errors", "warnings"),
    [
        ("aloha_raw.mcap", set(), set()),
        ("aloha_jpeg.mcap", set(), set()),
        ("aloha_raw.bag", set(), set()),
        ("aloha_stalled.mcap", {"rates", "tick_coverage"}, {"gaps"}),
        ("aloha_truncated.mcap", {"container_intact"}, set()),
    ],
)
def test_the_demo_profile_fits_every_sample_and_tells_the_bad_ones(samples, name, errors, warnings):
    sample = next(sample for sample in SAMPLES if sample.name == name)
    plan, timeline, failed = judged(load_profile(FOLDER / "aloha_demo.yaml"), samples.folder / name)
    assert [feature.shape for feature in plan.features] == [(480, 640, 3), (480, 640, 3), (480, 640), (14,), (14,)]
    assert all(feature.is_jpeg_source == ("jpeg" in str(sample.encodings)) for feature in plan.features[:2])
    assert failed == {"error": errors, "warn": warnings}
    if not errors:
        # One tick less where the jitter of the first frame and of the last is such that 30 Hz just does not fit.
        assert round(samples.seconds * sample.share * 30) - timeline.num_ticks in (0, 1)


def test_the_demo_profile_shows_every_setting():
    shown = (FOLDER / "aloha_demo.yaml").read_text(encoding="utf-8")
    profile = load_profile(FOLDER / "aloha_demo.yaml")
    settings = {*type(profile).model_fields, *type(profile.preview).model_fields}
    settings |= set(type(profile.features["state"]).model_fields) | {"threshold", "severity"}
    # Settings that exclude others are shown in comments.
    assert {setting for setting in settings if f"{setting}:" not in shown} == set()


def test_the_readme_tells_every_profile():
    told = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert all(f"]({path.name})" in told for path in PROFILES)
