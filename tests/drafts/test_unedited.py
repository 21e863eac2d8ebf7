"""What is drafted from a recording ingests that recording, with nothing edited in between."""

import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr

from bagmill.dataset import Dataset
from bagmill.drafts import draft_profile, look_again, profile_yaml
from bagmill.errors import BagmillError
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.profile import parse_profile
from bagmill.recordings import discover
from bagmill.streams import scan
from bagmill.testing import START_NS, SampleMessage, healthy, write_mcap
from bagmill.testing.faults import with_black_frames, with_frozen_frames, with_nan_joints
from tests.drafts.messages import MS, frame, joints, number

Record = Callable[..., Path]
ARM = ["shoulder", "elbow", "wrist"]


def unedited(recording: Path, folder: Path) -> tuple[IngestOutcome, dict[str, Any]]:
    """What became of a recording by its own draft, and the draft as plain values."""
    index = scan(recording)
    drafted = yaml.safe_load(profile_yaml(draft_profile(index, values=look_again(index))))
    profile = parse_profile(drafted)
    request = IngestRequest(
        episode="e", recording=recording, dataset=folder / "dataset", profile=profile, until="episode", num_threads=1
    )
    return ingest(request), drafted


def published(recording: Path, folder: Path) -> tuple[zarr.Group, dict[str, Any]]:
    """The published episode, as stock zarr reads it, and the draft."""
    outcome, drafted = unedited(recording, folder)
    assert outcome.refusal is None, outcome.refusal
    assert outcome.report.version is not None
    path = Dataset(folder / "dataset").episode_path("e", outcome.report.version)
    return zarr.open_group(path, mode="r"), drafted


def arm(num_messages: int = 100) -> list[SampleMessage]:
    return [joints(n, ARM, [math.sin(n / 20), n / 100, 1.0]) for n in range(num_messages)]


def recorded(tmp_path: Path, *messages: SampleMessage) -> Path:
    return write_mcap(tmp_path / "r.mcap", sorted(messages, key=lambda message: message.log_ns))


def test_a_gripper_of_its_own_channel_stands_beside_the_joints(tmp_path: Path) -> None:
    gripper = [number(n, n / 100, topic="/gripper/position") for n in range(100)]
    episode, drafted = published(recorded(tmp_path, *arm(), *gripper), tmp_path)
    assert [part["channel"] for part in drafted["features"]["state"]] == ["/joint_states", "/gripper/position"]
    state = episode["state"]
    assert state.attrs["names"] == [*ARM, "gripper"]
    np.testing.assert_allclose(state[50], [math.sin(50 / 20), 0.5, 1.0, 0.5], atol=0.02)


def test_a_gripper_whose_joint_is_called_like_one_of_the_arms_is_told_apart(tmp_path: Path) -> None:
    hand = [joints(n, ["wrist"], [0.5], topic="/gripper/joint_states") for n in range(100)]
    moved = [joints(n, ARM, [n / 100, 0.0, 1.0], topic="/arm/joint_states") for n in range(100)]
    episode, _ = published(recorded(tmp_path, *moved, *hand), tmp_path)
    assert episode["state"].attrs["names"] == [*ARM, "gripper.wrist"]


@pytest.mark.parametrize("strays", [False, True])
def test_header_stamps_that_were_set_or_stray_cost_no_tick(strays: bool, tmp_path: Path) -> None:
    """The joint's position is the time at which it was measured."""
    moments = [START_NS + n * 20 * MS for n in range(100)]
    stamps = [
        time - 4000 * MS * (n % 25 == 12) if strays else time + 300 * MS * (n >= 50) for n, time in enumerate(moments)
    ]
    moved = [
        SampleMessage(
            "/joint_states",
            "sensor_msgs/msg/JointState",
            {"name": ["a"], "position": np.array([(time - START_NS) / 1e9])},
            log_ns=time,
            header_ns=stamp,
        )
        for time, stamp in zip(moments, stamps, strict=True)
    ]
    episode, drafted = published(recorded(tmp_path, *moved, *(frame(n) for n in range(60))), tmp_path)
    assert drafted["clock"] == "log"
    assert "checks" not in drafted
    assert not any("required" in feature for feature in drafted["features"].values())
    assert episode["time"].shape == (59,)  # 60 pictures, 33 ms apart, at 30 Hz
    assert episode["valid/state"][:].all()
    assert episode["valid/images/cam"][:].all()
    since_s = (episode["time"][:] - START_NS) / 1e9
    np.testing.assert_allclose(episode["state"][:, 0], since_s, atol=1e-6)


def test_what_a_gripper_is_told_is_stored_beside_the_joints(tmp_path: Path) -> None:
    told = [number(n, n // 11 % 2, topic="/gripper_cmd") for n in range(100)]
    episode, drafted = published(recorded(tmp_path, *arm(), *told), tmp_path)
    (name,) = [name for name, feature in drafted["features"].items() if feature["channel"] == "/gripper_cmd"]
    assert drafted["features"][name]["rule"] == "latest"
    assert episode[name][:, 0].tolist() == [n // 11 % 2 for n in range(100)]


def test_events_last_until_the_next_one(tmp_path: Path) -> None:
    closed = [
        SampleMessage("/gripper/closed", "std_msgs/msg/Bool", {"data": bool(k % 2)}, log_ns=START_NS + at * MS)
        for k, at in enumerate((1, 300, 310, 800))
    ]
    episode, drafted = published(recorded(tmp_path, *arm(), *closed), tmp_path)
    closed_feature = drafted["features"]["closed"]
    assert closed_feature["rule"] == "latest"
    # From the last one on to the recording's end; an episode must not end where the events do.
    assert closed_feature["tolerance_ms"] == 1500
    assert closed_feature["required"] is False
    assert episode["valid/closed"][:].mean() > 0.98
    seen = episode["closed"][:, 0].tolist()
    assert (seen[10], seen[20], seen[-1]) == (0.0, 0.0, 1.0)


def test_publishers_that_share_a_channel_are_each_laid_by_their_own_pace(tmp_path: Path) -> None:
    hand = [joints(n, ["finger"], [n / 10], period_ms=100) for n in range(20)]
    episode, drafted = published(recorded(tmp_path, *arm(), *hand), tmp_path)
    parts = drafted["features"]["state"]
    assert [part["names"] for part in parts] == [ARM, ["finger"]]
    assert parts[0]["tolerance_ms"] < 100 < parts[1]["tolerance_ms"]
    assert episode["state"][50, 3] == pytest.approx(1.0, abs=0.02)


def test_a_joint_that_joins_later_does_not_cut_the_others_short(tmp_path: Path) -> None:
    early = [joints(n, ["a", "b"], [n / 10, 1.0]) for n in range(50)]
    late = [joints(n, ["a", "b", "c"], [n / 10, 1.0, 2.0]) for n in range(50, 100)]
    episode, drafted = published(recorded(tmp_path, *early, *late), tmp_path)
    assert drafted["features"]["state"]["names"] == ["a", "b"]
    assert drafted["features"]["state_c"]["required"] is False
    assert episode["time"].shape[0] == 100
    assert episode["valid/state_c"][:].sum() == 50


def test_a_camera_that_dies_does_not_take_the_rest_with_it(tmp_path: Path) -> None:
    frames = [frame(n) for n in range(9)]
    episode, drafted = published(recorded(tmp_path, *arm(), *frames), tmp_path)
    assert drafted["features"]["images/cam"]["required"] is False
    assert drafted["rate_hz"] == 30
    assert 9 <= episode["valid/images/cam"][:].sum() <= 10
    assert episode["time"].shape[0] > 50


def test_lost_frames_are_bridged(tmp_path: Path) -> None:
    frames = [frame(n) for n in range(60) if n % 7]
    episode, drafted = published(recorded(tmp_path, *arm(), *frames), tmp_path)
    assert "required" not in drafted["features"]["images/cam"]
    assert episode["valid/images/cam"][:].mean() > 0.98


@pytest.mark.parametrize("damaged", [with_black_frames, with_frozen_frames, with_nan_joints])
def test_what_a_check_would_refuse_is_told_and_let_pass(damaged: Callable[[Path], Path], tmp_path: Path) -> None:
    published(damaged(tmp_path / "r.mcap"), tmp_path)


def test_one_nan_among_thousands_is_seen(tmp_path: Path) -> None:
    messages = [joints(n, ["a"], [math.nan if n == 2777 else 1.0], period_ms=2) for n in range(3000)]
    episode, drafted = published(recorded(tmp_path, *messages), tmp_path)
    assert drafted["features"]["state"]["nan"] == "invalid"
    assert not np.isnan(episode["state"][:][episode["valid/state"][:]]).any()
    assert episode["valid/state"][:].mean() > 0.99


def test_a_joint_that_is_never_measured_does_not_take_the_others_with_it(tmp_path: Path) -> None:
    messages = [joints(n, ARM, [n / 10, math.nan, 1.0]) for n in range(60)]
    episode, drafted = published(recorded(tmp_path, *messages), tmp_path)
    assert drafted["features"]["state"]["names"] == ["shoulder", "wrist"]
    assert episode["valid/state"][:].all()


def test_infinite_ranges_are_kept_and_never_spread(tmp_path: Path) -> None:
    ranges = np.array([1.0, np.inf, 3.0], dtype=np.float32)
    scans = [
        SampleMessage("/scan", "sensor_msgs/msg/LaserScan", {"ranges": ranges}, log_ns=t, header_ns=t)
        for t in range(START_NS, START_NS + 2000 * MS, 100 * MS)
    ]
    episode, drafted = published(recorded(tmp_path, *scans), tmp_path)
    assert (drafted["features"]["scan"]["rule"], drafted["features"]["scan"]["infinity"]) == ("nearest", "keep")
    np.testing.assert_array_equal(episode["scan"][5], ranges)


def test_transforms_are_chosen_by_their_frames(tmp_path: Path) -> None:
    def transform(n: int, child: str, x: float) -> SampleMessage:
        t = START_NS + (n * 50 + (20 if child == "camera" else 0)) * MS
        header = {"frame_id": "base", "stamp": {"sec": t // 10**9, "nanosec": t % 10**9}}
        placed = {"translation": {"x": x, "y": n / 10}, "rotation": {"w": 1.0}}
        values = {"transforms": [{"header": header, "child_frame_id": child, "transform": placed}]}
        return SampleMessage("/tf", "tf2_msgs/msg/TFMessage", values, log_ns=t)

    tf = [transform(n, child, x) for n in range(40) for child, x in (("tool", 1.0), ("camera", 100.0))]
    episode, drafted = published(recorded(tmp_path, *tf), tmp_path)
    assert drafted["rate_hz"] == 20
    fields = {name: feature["field"] for name, feature in drafted["features"].items()}
    assert fields["tf_tool_translation"] == "transforms[child_frame_id=tool].transform.translation"
    assert set(episode["tf_tool_translation"][:, 0][episode["valid/tf_tool_translation"][:]]) == {1.0}
    # Its rotation never changes: suggested only.
    assert "tf_tool_rotation" not in fields


def test_a_channel_whose_only_stamp_is_a_number_goes_by_it(json_recording: Record, tmp_path: Path) -> None:
    def imu(n: int, _: int) -> dict[str, Any]:
        return {"timestamp": 5_000_000 + 5_000 * n, "gyro": [n / 10, 0.0, 0.5]}

    episode, drafted = published(json_recording("r.mcap", {"/imu": ("Imu", imu, 200, 5)}), tmp_path)
    assert drafted["features"]["imu"]["stamp"] == {"field": "timestamp", "unit": "us", "epoch": "boot"}
    assert drafted["rate_hz"] == 200
    assert episode["time"][0] == START_NS


def test_single_numbers_of_one_message_are_one_feature(json_recording: Record, tmp_path: Path) -> None:
    def pose(n: int, time_ns: int) -> dict[str, Any]:
        return {"x": n / 10, "y": 0.5, "z": 0.25, "q0": 1.0, "qx": 0.0, "qy": 0.0, "qz": 0.0, "t": time_ns / 1e9}

    episode, drafted = published(json_recording("r.mcap", {"/tcp_pose": ("Pose", pose, 50, 100)}), tmp_path)
    parts = drafted["features"]["tcp_pose"]["parts"]
    assert [part["field"] for part in parts] == ["x", "y", "z", "q0", "qx", "qy", "qz"]
    # Four numbers of a quaternion in four fields cannot be laid on the sphere; between two of them is no orientation.
    assert [part["rule"] for part in parts] == ["linear"] * 3 + ["nearest"] * 4
    assert episode["tcp_pose"].shape[1] == 7


def test_one_field_across_a_list_of_messages(json_recording: Record, tmp_path: Path) -> None:
    def state(n: int, _: int) -> dict[str, Any]:
        return {"motors": [{"mode": 1, "q": n + motor / 100} for motor in range(20)]}

    episode, drafted = published(json_recording("r.mcap", {"/lowstate": ("LowState", state, 20, 100)}), tmp_path)
    assert drafted["features"]["lowstate_q"]["field"] == "motors[:].q"
    assert drafted["features"]["lowstate_mode"]["rule"] == "latest"
    np.testing.assert_allclose(episode["lowstate_q"][3], 3 + np.arange(20) / 100)


def test_a_list_whose_length_changes_is_refused_with_the_part_to_take(json_recording: Record) -> None:
    def detections(n: int, _: int) -> dict[str, Any]:
        return {"scores": [0.5] * (2 + n % 3)}

    index = scan(json_recording("r.mcap", {"/detections": ("Detections", detections, 30, 100)}))
    with pytest.raises(BagmillError, match=r"`scores`: it holds 2 to 4 numbers.*`field: scores\[0:2\]`"):
        draft_profile(index, values=look_again(index))


def test_a_healthy_recording_keeps_what_it_was_asked(tmp_path: Path) -> None:
    _, drafted = published(healthy(tmp_path / "r.mcap"), tmp_path)
    assert "checks" not in drafted


SUGGESTING = ("franka_teach", "nav2")
SOME = ("aerial_arm_db3", "franka_teach", "mcap_oddities", "soccer_goal", "tf_example")


@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_trainable_recording_ingests_by_its_own_draft(
    recordings_dir: Path, tmp_path: Path, is_whole: bool
) -> None:
    num_published = 0
    refused: dict[str, str] = {}
    for place, recording in enumerate(discover(recordings_dir)):
        name = recording.relative_to(recordings_dir).as_posix()
        if "mcap_conformance" in name or not (is_whole or name.startswith(SOME)):
            continue
        try:
            outcome, _ = unedited(recording, tmp_path / str(place))
        except BagmillError:
            continue  # nothing to train on, or no recording: told by the tests of drafts
        num_published += outcome.refusal is None
        if outcome.refusal is not None:
            refused[name] = outcome.refusal.reason
    assert refused == {}
    assert num_published == (18 if is_whole else 10)


def with_all_suggestions(text: str) -> dict[str, Any]:
    """A draft with the signs taken away from all that it suggests, as plain values."""
    head, heading, rest = text.partition("take the `# ` away:\n")
    suggestions, blank, tail = rest.partition("\n\n")
    return dict(yaml.safe_load(head + heading + re.sub("(?m)^  # ", "  ", suggestions) + blank + tail))


@pytest.mark.parametrize("is_whole", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_every_suggestion_of_a_real_recording_ingests_where_its_sign_is_taken_away(
    recordings_dir: Path, tmp_path: Path, is_whole: bool
) -> None:
    num_suggested = 0
    refused: dict[str, str] = {}
    for place, recording in enumerate(discover(recordings_dir)):
        name = recording.relative_to(recordings_dir).as_posix()
        if "mcap_conformance" in name or not (is_whole or name.startswith(SUGGESTING)):
            continue
        try:
            index = scan(recording)
            draft = draft_profile(index, values=look_again(index))
        except BagmillError:
            continue
        profile = parse_profile(with_all_suggestions(profile_yaml(draft)))
        assert set(profile.features) == {feature.name for feature in draft.features}
        num_suggested += sum(not feature.is_active for feature in draft.features)
        request = IngestRequest(
            episode="e",
            recording=recording,
            dataset=tmp_path / str(place),
            profile=profile,
            until="episode",
            num_threads=1,
        )
        if (refusal := ingest(request).refusal) is not None:
            refused[name] = refusal.reason
    assert refused == {}
    assert num_suggested >= (150 if is_whole else 10)


def test_a_suggestion_that_does_not_last_is_not_required(tmp_path: Path) -> None:
    early = [number(n, n / 10, topic="/level") for n in range(30)]
    index = scan(recorded(tmp_path, *arm(), *early))
    draft = draft_profile(index, values=look_again(index))
    (suggestion,) = [feature for feature in draft.features if not feature.is_active]
    assert not suggestion.is_required
    assert "% of the ticks: not required" in suggestion.comment
    assert with_all_suggestions(profile_yaml(draft))["features"]["level"]["required"] is False


def test_whole_numbers_of_json_are_states_by_their_messages_name(json_recording: Record, tmp_path: Path) -> None:
    channels = {
        "/joint_pos": ("std_msgs/msg/Float64MultiArray", lambda n, _: {"data": [n / 10, 0.5]}, 100, 20),
        "/object_id": ("std_msgs/msg/Int32", lambda n, _: {"data": 7 * n}, 4, 400),
    }
    index = scan(json_recording("r.mcap", channels))
    drafted = with_all_suggestions(profile_yaml(draft_profile(index, values=look_again(index))))
    assert drafted["features"]["object_id"]["rule"] == "latest"
