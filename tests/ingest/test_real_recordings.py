"""The whole line on recordings that others made, judged by rosbags, mcap, json, Pillow and plain loops."""

import io
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from mcap.reader import NonSeekingReader
from PIL import Image
from rosbags.highlevel import AnyReader
from rosbags.rosbag1 import Reader as Rosbag1Reader
from rosbags.typesys import Stores, get_typestore
from zstandard import ZstdDecompressor

from bagmill.dataset import Dataset, read_quarantine
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.profile import Profile, load_profile

PROFILES = Path(__file__).parents[2] / "examples" / "profiles"
Sample = tuple[int, np.ndarray]
"""(stamp in ns, values)"""


def run(folder: Path, recording: Path, profile: str) -> IngestOutcome:
    return ingest(
        IngestRequest(
            episode=recording.name,
            recording=recording,
            dataset=folder,
            profile=load_profile(PROFILES / f"{profile}.yaml"),
        )
    )


def open_episode(folder: Path, outcome: IngestOutcome) -> zarr.Group:
    assert outcome.refusal is None, outcome.refusal
    path = Dataset(folder).episode_path(outcome.episode, str(outcome.report.version))
    return zarr.open_group(path, mode="r")


# --- an independent reading -------------------------------------------------------------------------------------------


@cache
def read_ros(recording: Path, topic: str) -> list[tuple[int, Any]]:
    """(log time, message) by rosbags alone."""
    with AnyReader([recording], default_typestore=get_typestore(Stores.ROS2_HUMBLE)) as reader:
        connections = [connection for connection in reader.connections if connection.topic == topic]
        return [
            (log_ns, reader.deserialize(data, connection.msgtype))
            for connection, log_ns, data in reader.messages(connections)
        ]


def read_json(recording: Path, topic: str) -> Iterator[tuple[int, Any]]:
    """(log time, message) by mcap and json alone."""
    with recording.open("rb") as file:
        for _, channel, message in NonSeekingReader(file).iter_messages(log_time_order=False):
            if channel.topic == topic:
                yield message.log_time, json.loads(message.data)


def header_ns(message: Any) -> int:
    header = message.header if hasattr(message, "header") else message.transforms[0].header
    return header.stamp.sec * 1_000_000_000 + header.stamp.nanosec


def xyz(vector: Any) -> list[float]:
    return [vector.x, vector.y, vector.z]


def xyzw(quaternion: Any) -> list[float]:
    return [*xyz(quaternion), quaternion.w]


def joints(names: list[str], field: str) -> Callable[[Any], list[float]]:
    def get(message: Any) -> list[float]:
        values = message[field] if isinstance(message, dict) else getattr(message, field)
        order = message["name"] if isinstance(message, dict) else list(message.name)
        return [values[order.index(name)] for name in names]

    return get


FRANKA = [f"fr3_joint{n}" for n in range(1, 8)] + ["fr3_finger_joint1"]

Getter = Callable[[Any], Any]
CASES: list[tuple[str, str, dict[str, tuple[str, Getter]]]] = [
    (
        "nav2_turtlebot",
        "nav2_turtlebot.mcap",
        {
            "odom/position": ("/odom", lambda m: xyz(m.pose.pose.position)),
            "odom/orientation": ("/odom", lambda m: xyzw(m.pose.pose.orientation)),
            "odom/turn_rate": ("/odom", lambda m: xyz(m.twist.twist.angular)),
            "amcl/position": ("/amcl_pose", lambda m: xyz(m.pose.pose.position)),
            "amcl/orientation": ("/amcl_pose", lambda m: xyzw(m.pose.pose.orientation)),
        },
    ),
    (
        "slam_poses",
        "slam_poses.bag",
        {
            "ground_truth/position": ("groundtruth", lambda m: xyz(m.pose.position)),
            "orb_slam/orientation": ("ORB-SLAM", lambda m: xyzw(m.pose.orientation)),
            "s_ptam/position": ("S-PTAM", lambda m: xyz(m.pose.position)),
        },
    ),
    (
        "husky_imu_odom_gps",
        "husky_imu_odom_gps.bag",
        {
            "imu/acceleration": ("/imu/data", lambda m: xyz(m.linear_acceleration)),
            "imu/orientation": ("/imu/data", lambda m: xyzw(m.orientation)),
            "odom/speed": ("/husky_velocity_controller/odom", lambda m: [m.twist.twist.linear.x]),
            "gps/latitude": ("/fix", lambda m: [m.latitude]),
        },
    ),
    (
        "aerial_arm_mcap",
        "aerial_arm_mcap",
        {
            "state": ("/servo/out/state", joints(["q0", "q1", "q2"], "position")),
            "action": ("/servo/in/state", joints(["q1", "q2", "q3"], "position")),
        },
    ),
    (
        "aerial_arm_db3",
        "aerial_arm_db3",
        {
            "state": ("/servo/out/state", lambda m: m.position),
            "action": ("/servo/in/references/joint_references", lambda m: m.position),
        },
    ),
    ("tf_example", "tf_example", {"base/position": ("/tf", lambda m: xyz(m.transforms[0].transform.translation))}),
    ("tf_example", "tf_example.bag", {"base/orientation": ("/tf", lambda m: xyzw(m.transforms[0].transform.rotation))}),
    (
        "lz4_turtlesim",
        "lz4.bag",
        {
            "turtle1/x": ("/turtle1/pose", lambda m: [m.x]),
            "action/forward": ("/turtle1/cmd_vel", lambda m: [m.linear.x]),
        },
    ),
    (
        "franka_teach",
        "franka_teach/trajectory_20250527_003442_00m02s.mcap",
        {"state": ("/joint_states", joints(FRANKA, "position")), "action": ("/action", lambda m: m["data"])},
    ),
    (
        "franka_teach",
        "franka_teach/trajectory_20250527_003848_00m00s.mcap",
        {"state": ("/joint_states", joints(FRANKA, "position"))},
    ),
]


def samples_of(recording: Path, topic: str, get: Getter, profile: Profile) -> list[Sample]:
    read = read_json if "franka" in str(recording) else read_ros
    samples = [
        (header_ns(message) if profile.clock == "header" else log_ns, np.asarray(get(message), dtype=np.float64))
        for log_ns, message in read(recording, topic)
    ]
    return sorted(samples, key=lambda sample: sample[0])


def expected_at(tick: int, samples: list[Sample], *, rule: str, tolerance_ns: int) -> np.ndarray | None:
    """One tick's value by the plainest possible reading of the rules; None where nothing is near enough."""
    stamps = [stamp for stamp, _ in samples]
    if rule == "latest":
        place = bisect_right(stamps, tick) - 1
        return samples[place][1] if place >= 0 and tick - stamps[place] <= tolerance_ns else None
    exact = bisect_right(stamps, tick) - 1
    if exact >= 0 and stamps[exact] == tick:
        return samples[exact][1]
    after = bisect_left(stamps, tick)
    if after in (0, len(stamps)) or stamps[after] - stamps[after - 1] > tolerance_ns:
        return None
    (left_ns, left), (right_ns, right) = samples[after - 1], samples[after]
    share = (tick - left_ns) / (right_ns - left_ns)
    if rule == "linear":
        return left + (right - left) * share
    # Slerp: turn from left towards right by a share of the angle between them.
    if np.dot(left, right) < 0:
        right = -right
    angle = np.arccos(np.clip(np.dot(left, right), -1, 1))
    if angle < 1e-6:
        turned = left + (right - left) * share
    else:
        turned = (np.sin((1 - share) * angle) * left + np.sin(share * angle) * right) / np.sin(angle)
    return turned / np.linalg.norm(turned)


@pytest.mark.parametrize(("profile", "name", "features"), CASES, ids=[case[1] for case in CASES])
def test_signals_are_what_an_independent_reading_gives(
    tmp_path: Path, recordings_dir: Path, profile: str, name: str, features: dict[str, tuple[str, Getter]]
):
    spec = load_profile(PROFILES / f"{profile}.yaml")
    outcome = run(tmp_path, recordings_dir / name, profile)
    group = open_episode(tmp_path, outcome)
    ticks = np.asarray(group["time"][:])
    assert np.all(np.diff(ticks) > 0)
    for feature, (topic, get) in features.items():
        samples = samples_of(recordings_dir / name, topic, get, spec)
        stamps = {stamp for stamp, _ in samples}
        values, valid = np.asarray(group[feature][:]), np.asarray(group[f"valid/{feature}"][:])
        source = np.asarray(group[f"source/{feature}"][:])
        assert {int(stamp) for stamp in source[valid]} <= stamps
        rule = spec.features[feature].rule or "linear"
        tolerance_ns = round(spec.features[feature].tolerance_ms * 1e6)
        checked = range(0, len(ticks), max(1, len(ticks) // 400))
        for tick in checked:
            wanted = expected_at(int(ticks[tick]), samples, rule=rule, tolerance_ns=tolerance_ns)
            assert (wanted is not None) == valid[tick], (feature, tick)
            if wanted is None:
                assert np.isnan(values[tick]).all()
            elif rule == "slerp":
                assert abs(np.dot(values[tick], wanted)) == pytest.approx(1, abs=1e-6), (feature, tick)
            else:
                assert np.allclose(values[tick], wanted, rtol=1e-6, atol=1e-6), (feature, tick)
        assert valid.any()


def test_realsense_depth_is_the_payload_number_by_number(tmp_path: Path, recordings_dir: Path):
    recording = recordings_dir / "realsense_d4xx.bag"
    outcome = run(tmp_path, recording, "realsense_d4xx")
    group = open_episode(tmp_path, outcome)
    raw: dict[str, list[bytes]] = {"Depth": [], "Color": []}
    with Rosbag1Reader(recording) as reader:
        for connection, _, data in reader.messages():
            if connection.topic.endswith("image/data"):
                raw["Depth" if "Depth" in connection.topic else "Color"].append(bytes(data))
    # The recorder leaves four bytes behind the pixels of every image.
    depths = [np.frombuffer(data[-4 - 640 * 480 * 2 : -4], "<u2").reshape(480, 640) for data in raw["Depth"]]
    colours = [np.frombuffer(data[-4 - 640 * 480 * 3 : -4], np.uint8).reshape(480, 640, 3) for data in raw["Color"]]
    assert (len(depths), len(colours)) == (6, 5)
    depth, colour = np.asarray(group["depth/camera"][:]), np.asarray(group["images/camera"][:])
    assert depth.dtype == np.uint16
    at_depth = np.asarray(group["sequence/depth/camera"][:])
    at_colour = np.asarray(group["sequence/images/camera"][:])
    assert sorted(set(at_depth[at_depth >= 0])) == list(range(6))
    assert sorted(set(at_colour[at_colour >= 0])) == list(range(5))
    for tick, sequence in enumerate(at_depth):
        wanted = depths[sequence] if sequence >= 0 else np.zeros((480, 640), np.uint16)
        assert np.array_equal(depth[tick], wanted)
    for tick, sequence in enumerate(at_colour):
        if sequence >= 0:
            error = colour[tick].astype(float) - colours[sequence]
            assert 10 * np.log10(255**2 / np.mean(error**2)) > 38
    told = next(check for check in outcome.report.checks if check.name == "clocks_agree")
    assert not told.is_passed, "bag time starts near 0 and headers in 2025: the check must say so"
    assert told.severity == "warn"


def test_messages_compressed_one_by_one_give_their_pictures(tmp_path: Path, recordings_dir: Path):
    recording = recordings_dir / "soccer_goal"
    group = open_episode(tmp_path, run(tmp_path, recording, "soccer_goal"))
    store = get_typestore(Stores.ROS2_HUMBLE)
    with next(recording.glob("*.mcap")).open("rb") as file:
        messages = [
            store.deserialize_cdr(ZstdDecompressor().decompressobj().decompress(message.data), "sensor_msgs/msg/Image")
            for _, channel, message in NonSeekingReader(file).iter_messages()
            if channel.topic == "/camera/image_raw"
        ]
    assert len(messages) == 2
    stored = np.asarray(group["images/camera"][:])
    for tick, sequence in enumerate(np.asarray(group["sequence/images/camera"][:])):
        pixels = np.asarray(messages[sequence].data).reshape(480, 640, 3)
        source = pixels if messages[sequence].encoding == "rgb8" else pixels[..., ::-1]
        again = io.BytesIO()
        Image.fromarray(source).save(again, "JPEG", quality=95, subsampling=2)
        error = stored[tick].astype(float) - source
        pillow = np.asarray(Image.open(again)).astype(float) - source
        assert np.mean(error**2) <= 1.2 * np.mean(pillow**2), (
            "as near as Pillow's own JPEG of that quality, within a decibel"
        )


def test_lz4_and_bz2_of_one_recording_give_one_episode(tmp_path: Path, recordings_dir: Path):
    a = open_episode(tmp_path, run(tmp_path, recordings_dir / "lz4.bag", "lz4_turtlesim"))
    b = open_episode(tmp_path, run(tmp_path, recordings_dir / "bz2.bag", "lz4_turtlesim"))
    names = [name for name, _ in a.arrays()] + ["turtle1/x", "turtle2/heading", "action/turn", "source/action/turn"]
    assert "time" in names
    for name in names:
        assert np.array_equal(np.asarray(a[name][:]), np.asarray(b[name][:]), equal_nan=True), name


def test_two_containers_of_one_recording_give_the_same_numbers(tmp_path: Path, recordings_dir: Path):
    a = open_episode(tmp_path, run(tmp_path, recordings_dir / "tf_example", "tf_example"))
    b = open_episode(tmp_path, run(tmp_path, recordings_dir / "tf_example.bag", "tf_example"))
    for name in ("time", "base/position", "base/orientation", "source/base/position"):
        assert np.array_equal(np.asarray(a[name][:]), np.asarray(b[name][:]), equal_nan=True), name


REFUSED = [
    ("malformed_magic.mcap", "not an MCAP file"),
    ("invalid.bag", "the file ends inside it"),
    ("no_messages.bag", "holds no messages"),
    ("two_strings.bag", "no channel"),
    ("wrong_serialization", "serialization"),
    ("split_db3", "no channel"),
    ("message_zoo_mcap", "no channel"),
    ("mcap_conformance/NoData/NoData.mcap", "holds no messages"),
    ("mcap_oddities/unsupported_encoding.mcap", "no channel"),
]


@pytest.mark.parametrize(("name", "words"), REFUSED, ids=[name for name, _ in REFUSED])
def test_what_gives_no_episode_is_refused_in_a_sentence(tmp_path: Path, recordings_dir: Path, name: str, words: str):
    recording = recordings_dir / name
    outcome = run(tmp_path, recording, "nav2_turtlebot")
    assert outcome.refusal is not None
    reason = outcome.refusal.reason
    assert words in reason or ("required_channels" in reason and words == "no channel"), reason
    assert "Traceback" not in reason
    assert read_quarantine(Dataset(tmp_path), recording.name) == outcome.refusal
    assert Dataset(tmp_path).published(recording.name) == []


def test_header_clock_is_refused_where_headers_were_never_set(tmp_path: Path, recordings_dir: Path):
    profile = load_profile(PROFILES / "aerial_arm_db3.yaml").model_copy(update={"clock": "header"})
    outcome = ingest(IngestRequest("arm", recordings_dir / "aerial_arm_db3", tmp_path, profile))
    assert outcome.refusal is not None
    assert "/servo/in/references/joint_references carry no header stamps or zero ones; use clock `log`" in (
        outcome.refusal.reason
    )


def test_a_stamp_at_zero_is_named_not_divided_by(tmp_path: Path, recordings_dir: Path):
    profile = load_profile(PROFILES / "franka_teach.yaml")
    features = {
        "tf": profile.features["action"].model_copy(update={"channel": "/tf", "field": "transforms[0].transform"})
    }
    recording = recordings_dir / "franka_teach" / "trajectory_20250527_003442_00m02s.mcap"
    outcome = ingest(IngestRequest("franka", recording, tmp_path, profile.model_copy(update={"features": features})))
    assert outcome.refusal is not None
    assert "feature tf has one message at 0 ns" in outcome.refusal.reason
