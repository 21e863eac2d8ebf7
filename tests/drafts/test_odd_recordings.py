"""Small odd recordings of others: what is drafted, and that what is published is what an independent reading finds."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr
from mcap.reader import NonSeekingReader
from rosbags.typesys import Stores, get_typestore

from bagmill.dataset import Dataset
from bagmill.drafts import draft_profile, look_again, profile_yaml
from bagmill.errors import PlanError
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import load_profile, parse_profile
from bagmill.streams import scan

Drafted = dict[str, Any]


def made(recording: Path, folder: Path, profile: Any) -> zarr.Group:
    request = IngestRequest(
        episode="e", recording=recording, dataset=folder / "data", profile=profile, until="episode", num_threads=1
    )
    outcome = ingest(request)
    assert outcome.refusal is None, outcome.refusal
    assert outcome.report.version is not None
    return zarr.open_group(Dataset(folder / "data").episode_path("e", outcome.report.version), mode="r")


def drafted(recording: Path) -> Drafted:
    index = scan(recording)
    return dict(yaml.safe_load(profile_yaml(draft_profile(index, values=look_again(index)))))


def messages(recording: Path, topic: str) -> list[tuple[int, Any]]:
    """(log time, message), by mcap with json or rosbags alone."""
    store = get_typestore(Stores.ROS2_HUMBLE)
    with recording.open("rb") as file:
        return [
            (
                message.log_time,
                json.loads(message.data)
                if channel.message_encoding == "json"
                else store.deserialize_cdr(message.data, schema.name),
            )
            for schema, channel, message in NonSeekingReader(file).iter_messages(log_time_order=False)
            if channel.topic == topic
        ]


def assert_as_recorded(
    group: zarr.Group, feature: str, recording: Path, topic: str, get: Callable[[Any], list[float]]
) -> None:
    """Every tick that one message feeds holds what that message says."""
    found = messages(recording, topic)
    parts = [name for name, _ in group["sequence"].arrays() if name.startswith(f"{feature}.")] or [feature]
    sequence, is_made = group[f"sequence/{parts[0]}"][:], group[f"interpolated/{feature}"][:]
    ticks = np.flatnonzero(group[f"valid/{feature}"][:] & ~is_made)
    assert len(ticks) > 0.9 * len(is_made)
    for tick in ticks:
        np.testing.assert_array_equal(group[feature][tick], get(found[sequence[tick]][1]))


JSON = [
    ("seven_numbers.mcap", "tcp_pose", "/tcp_pose", lambda m: [m[k] for k in ("x", "y", "z", "q0", "qx", "qy", "qz")]),
    ("motors_17.mcap", "lowstate_q", "/lowstate", lambda m: [motor["q"] for motor in m["motors"]]),
    ("gps.mcap", "fix", "/fix", lambda m: [m["latitude"], m["longitude"], m["altitude"]]),
    ("flags.mcap", "gripper_closed", "/gripper_closed", lambda m: [float(m["data"])]),
    ("foxglove_log.mcap", "speed", "/speed", lambda m: [m["value"]]),
    ("ends_only.mcap", "sensor", "/sensor", lambda m: [m["a"]]),
    ("action_without_state.mcap", "action", "/cartpole/action", lambda m: [m["value"]]),
    ("trajectory_17.mcap", "action", "/arm/joint_trajectory", lambda m: m.points[0].positions),
]


@pytest.mark.parametrize(("name", "feature", "topic", "get"), JSON, ids=[f"{case[0]}-{case[1]}" for case in JSON])
def test_what_is_published_from_the_unedited_draft_is_what_was_recorded(
    odd_recordings_dir: Path, tmp_path: Path, name: str, feature: str, topic: str, get: Callable[[Any], list[float]]
) -> None:
    recording = odd_recordings_dir / name
    group = made(recording, tmp_path, parse_profile(drafted(recording)))
    assert_as_recorded(group, feature, recording, topic, get)


def test_infinite_ranges_are_kept(odd_recordings_dir: Path, tmp_path: Path) -> None:
    recording = odd_recordings_dir / "scan_inf.mcap"
    profile = drafted(recording)
    assert (profile["features"]["scan"]["infinity"], profile["features"]["scan"]["rule"]) == ("keep", "nearest")
    group = made(recording, tmp_path, parse_profile(profile))
    assert np.isinf(group["scan"][:]).any()
    assert_as_recorded(group, "scan", recording, "/scan", lambda m: m.ranges)


@pytest.mark.parametrize(
    ("name", "clock", "rate_hz"),
    [("const_stamp.mcap", "log", 10), ("five_at_once.mcap", "log", 200), ("bursts.mcap", "log", 100)],
)
def test_clocks_and_rates_are_those_of_what_moves(
    odd_recordings_dir: Path, name: str, clock: str, rate_hz: float
) -> None:
    profile = drafted(odd_recordings_dir / name)
    assert (profile["clock"], profile["rate_hz"]) == (clock, rate_hz)


def test_messages_that_share_their_stamps_are_told(odd_recordings_dir: Path) -> None:
    index = scan(odd_recordings_dir / "five_at_once.mcap")
    text = profile_yaml(draft_profile(index, values=look_again(index)))
    assert "# → 400 of 500 messages of force carry the stamp of another" in text


def test_stamps_that_stand_still_are_refused_by_the_header_clock(odd_recordings_dir: Path, tmp_path: Path) -> None:
    recording = odd_recordings_dir / "const_stamp.mcap"
    whole = made(recording, tmp_path, parse_profile(drafted(recording)))
    assert len(whole["time"][:]) == 50
    by_header = {"name": "p", "clock": "header", "rate_hz": 10, "features": {}}
    by_header["features"] = {"state": {"channel": "/joint_states", "field": "position", "tolerance_ms": 250}}
    request = IngestRequest(
        episode="h", recording=recording, dataset=tmp_path / "other", profile=parse_profile(by_header), num_threads=1
    )
    refusal = ingest(request).refusal
    assert refusal is not None
    assert "messages_unused" in refusal.failed_checks
    assert "use `clock: log`" in refusal.reason


def test_an_imu_that_measures_no_orientation_gets_no_feature_of_it(odd_recordings_dir: Path, tmp_path: Path) -> None:
    recording = odd_recordings_dir / "imu_zero_quaternion.mcap"
    profile = drafted(recording)
    assert not [name for name in profile["features"] if "orientation" in name]
    group = made(recording, tmp_path, parse_profile(profile))
    assert all(np.isfinite(group[name][:]).all() for name in profile["features"])


@pytest.mark.parametrize(
    ("profile", "recording", "shape"),
    [
        ("motors_one.yaml", "motors_17.mcap", 1),
        ("motors_slice.yaml", "motors_17.mcap", 16),
        ("trajectory_first.yaml", "trajectory_17.mcap", 2),
    ],
)
def test_profiles_written_by_hand_are_taken(
    odd_recordings_dir: Path, tmp_path: Path, profile: str, recording: str, shape: int
) -> None:
    found = load_profile(odd_recordings_dir / profile)
    group = made(odd_recordings_dir / recording, tmp_path, found)
    (feature,) = found.features
    assert group[feature].shape[1] == shape
    assert group[f"valid/{feature}"][:].all()


def test_what_cannot_become_a_feature_says_why(odd_recordings_dir: Path) -> None:
    for name, reason in (("one_picture.mcap", "a single picture"), ("ragged_list.mcap", r"scores\[0:2\]")):
        index = scan(odd_recordings_dir / name)
        with pytest.raises(PlanError, match=reason):
            draft_profile(index, values=look_again(index))


@pytest.mark.parametrize("name", ["renamed_file", "empty_storage_id", "ros1msg_without_package.mcap"])
def test_odd_wrappings_are_read(odd_recordings_dir: Path, tmp_path: Path, name: str) -> None:
    recording = odd_recordings_dir / name
    group = made(recording, tmp_path, parse_profile(drafted(recording)))
    assert len(group["time"][:]) > 5
