import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from bagmill.drafts import ProfileDraft, draft_profile, profile_yaml
from bagmill.errors import BagmillError, PlanError
from bagmill.plan import IngestPlan, resolve
from bagmill.profile import load_profile
from bagmill.recordings import discover
from bagmill.streams import RecordingIndex, scan
from bagmill.testing import (
    JOINT_NAMES,
    START_NS,
    SampleMessage,
    empty,
    healthy,
    healthy_messages,
    image_schema,
    image_values,
    picture,
    with_message_at_time_zero,
    write_mcap,
)


def resolved(draft: ProfileDraft, index: RecordingIndex, folder: Path) -> IngestPlan:
    path = folder / "drafted.yaml"
    path.write_text(profile_yaml(draft), encoding="utf-8")
    return resolve(load_profile(path), index)


def drafted(recording: Path) -> IngestPlan:
    index = scan(recording)
    return resolved(draft_profile(index), index, recording.parent)


def joints(topic: str, n: int, *, header_ns: int | None, log_ns: int, period_ns: int = 10_000_000) -> SampleMessage:
    values = {"name": ["a", "b"], "position": np.array([n / 100, 1.0])}
    stamp_ns = None if header_ns is None else header_ns + n * period_ns if header_ns else 0
    return SampleMessage(topic, "sensor_msgs/msg/JointState", values, log_ns=log_ns + n * period_ns, header_ns=stamp_ns)


def test_a_healthy_recording_gets_the_profile_one_would_write(tmp_path: Path) -> None:
    plan = drafted(healthy(tmp_path / "wave.mcap"))
    assert plan.profile.name == "wave"
    assert (plan.profile.clock, plan.profile.rate_hz) == ("header", 30)
    features = {feature.name: feature for feature in plan.features}
    assert list(features) == ["images/cam_wrist", "images/cam_high", "depth/cam_high", "state", "action"]
    assert {name: feature.rule for name, feature in features.items()} == {
        "images/cam_high": "nearest",
        "images/cam_wrist": "nearest",
        "depth/cam_high": "nearest",
        "state": "linear",
        "action": "latest",
    }
    assert features["state"].parts[0].joints == JOINT_NAMES
    assert {name: feature.spec.expected_rate_hz for name, feature in features.items()} == {
        "images/cam_high": 30,
        "images/cam_wrist": 30,
        "depth/cam_high": 30,
        "state": 100,
        "action": 100,
    }
    assert features["images/cam_high"].tolerance_ns == 25_000_000
    assert features["state"].tolerance_ns == 25_000_000
    assert all(feature.spec.required for feature in plan.features)


def test_the_rate_asked_for_is_kept_exactly(tmp_path: Path) -> None:
    index = scan(healthy(tmp_path / "r.mcap"))
    plan = resolved(draft_profile(index, rate_hz=Fraction(30000, 1001)), index, tmp_path)
    assert plan.profile.rate_hz == Fraction(30000, 1001)


def test_zero_header_stamps_make_it_the_log_clock(tmp_path: Path) -> None:
    messages = [joints("/joint_states", n, header_ns=0, log_ns=START_NS) for n in range(50)]
    index = scan(write_mcap(tmp_path / "r.mcap", messages))
    draft = draft_profile(index)
    assert draft.clock.clock == "log"
    assert "/joint_states carries no header stamps" in draft.clock.reason
    assert resolved(draft, index, tmp_path).features[0].clock == "log"


def test_header_stamps_of_two_clocks_make_it_the_log_clock(tmp_path: Path) -> None:
    messages = [
        message
        for n in range(50)
        for message in (
            joints("/joint_states", n, header_ns=START_NS, log_ns=START_NS),
            joints("/commands", n, header_ns=5_000_000_000, log_ns=START_NS + 1),
        )
    ]
    draft = draft_profile(scan(write_mcap(tmp_path / "r.mcap", messages)))
    assert draft.clock.clock == "log"
    assert "different clocks" in draft.clock.reason


def test_header_clock_stays_where_only_log_time_is_wrong(tmp_path: Path) -> None:
    plan = drafted(with_message_at_time_zero(tmp_path / "r.mcap"))
    assert plan.profile.clock == "header"


def test_publish_time_serves_where_some_log_times_are_zero_and_there_are_no_stamps(tmp_path: Path) -> None:
    messages = [joints("/joint_states", n, header_ns=None, log_ns=START_NS) for n in range(20)]
    messages = [replace(message, publish_ns=message.log_ns) for message in messages]
    messages[0] = replace(messages[0], log_ns=0)
    assert drafted(write_mcap(tmp_path / "r.mcap", messages)).profile.clock == "publish"


def test_a_signal_without_stamps_goes_by_log_time_beside_cameras_with_them(tmp_path: Path) -> None:
    twists = [
        SampleMessage("/twist", "geometry_msgs/msg/Twist", {"linear": {"x": 1.0}}, log_ns=START_NS + n * 50_000_000)
        for n in range(40)
    ]
    messages = sorted([*healthy_messages(), *twists], key=lambda message: message.log_ns)
    plan = drafted(write_mcap(tmp_path / "r.mcap", messages))
    clocks = {feature.name: feature.clock for feature in plan.features}
    assert clocks["twist_linear"] == "log"
    assert clocks["state"] == "header"


def test_a_late_short_channel_does_not_shorten_the_episode(tmp_path: Path) -> None:
    messages = [joints("/joint_states", n, header_ns=START_NS, log_ns=START_NS) for n in range(200)]
    messages += [joints("/commands", n, header_ns=START_NS + 10**9, log_ns=START_NS + 10**9) for n in range(30)]
    plan = drafted(write_mcap(tmp_path / "r.mcap", messages))
    assert {feature.name: feature.spec.required for feature in plan.features} == {"state": True, "action": False}


def test_two_arms_are_told_apart(tmp_path: Path) -> None:
    topics = ["/puppet_left/joint_states", "/puppet_right/joint_states", "/master_left/joint_states"]
    messages = [joints(topic, n, header_ns=START_NS, log_ns=START_NS) for n in range(20) for topic in topics]
    plan = drafted(write_mcap(tmp_path / "r.mcap", messages))
    assert [feature.name for feature in plan.features] == ["state/left", "state/right", "action"]


def test_a_compressed_copy_of_a_camera_is_left_out(tmp_path: Path) -> None:
    messages = [
        SampleMessage(
            topic,
            image_schema(encoding),
            image_values(picture("cam_high", n), encoding=encoding),
            log_ns=START_NS + n * 33_000_000,
            header_ns=START_NS + n * 33_000_000,
        )
        for n in range(12)
        for topic, encoding in (("/cam/image_raw", "rgb8"), ("/cam/image_raw/compressed", "jpeg"))
    ]
    index = scan(write_mcap(tmp_path / "r.mcap", messages))
    draft = draft_profile(index)
    assert [feature.name for feature in draft.features] == ["images/cam"]
    assert draft.left_out[0][0] == "/cam/image_raw/compressed"
    assert "same pictures as /cam/image_raw" in draft.left_out[0][2]


def test_suggestions_are_valid_where_their_comment_signs_are_taken_away(tmp_path: Path) -> None:
    readings = [
        SampleMessage("/battery", "std_msgs/msg/Float32", {"data": 12.5}, log_ns=START_NS + n * 50_000_000)
        for n in range(40)
    ]
    messages = sorted([*healthy_messages(), *readings], key=lambda message: message.log_ns)
    index = scan(write_mcap(tmp_path / "r.mcap", messages))
    text = profile_yaml(draft_profile(index))
    head, heading, suggestions = text.partition("take the `# ` away:\n")
    path = tmp_path / "p.yaml"
    path.write_text(head + heading + re.sub("(?m)^  # ", "  ", suggestions), encoding="utf-8")
    assert "battery" not in {feature.name for feature in resolved(draft_profile(index), index, tmp_path).features}
    plan = resolve(load_profile(path), index)
    assert "battery" in {feature.name for feature in plan.features}


def test_an_empty_recording_is_refused_with_the_reason(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no messages in it"):
        draft_profile(scan(empty(tmp_path / "r.mcap")))


def test_a_recording_of_text_is_refused_with_the_reason(tmp_path: Path) -> None:
    texts = [SampleMessage("/chatter", "std_msgs/msg/String", {"data": "hi"}, log_ns=START_NS + n) for n in range(5)]
    with pytest.raises(PlanError, match="nothing to train on in it"):
        draft_profile(scan(write_mcap(tmp_path / "r.mcap", texts)))


def test_topics_that_would_break_yaml_do_not(tmp_path: Path) -> None:
    topic = "/a: [b] # c\n\"'{d}"
    messages = [joints(topic, n, header_ns=START_NS, log_ns=START_NS) for n in range(20)]
    texts = [SampleMessage(f"{topic}!", "std_msgs/msg/String", {"data": "x"}, log_ns=START_NS)]
    plan = drafted(write_mcap(tmp_path / "r.mcap", [*messages, *texts]))
    assert [feature.channel.topic for feature in plan.features] == [topic]


def test_every_real_recording_with_something_to_train_on_gets_a_profile_that_fits(
    recordings_dir: Path, tmp_path: Path
) -> None:
    num_fitting = 0
    refused: set[str] = set()
    for recording in discover(recordings_dir):
        if "mcap_conformance" in recording.parts:
            continue  # 342 times nothing to train on: below
        try:
            index = scan(recording)
            draft = draft_profile(index)
        except BagmillError:
            refused.add(recording.relative_to(recordings_dir).as_posix())
            continue
        plan = resolved(draft, index, tmp_path)
        active = [feature.name for feature in draft.features if feature.is_active]
        assert [feature.name for feature in plan.features] == active, recording
        mentioned = {topic for topic, _, _ in draft.left_out}
        mentioned |= {topic for feature in draft.features for topic in feature.channels}
        assert mentioned == {stream.channel.topic for stream in index.streams}, recording
        num_fitting += 1
    assert refused == {
        "invalid.bag",
        "malformed_magic.mcap",
        "no_messages.bag",
        "split_db3",
        "two_strings.bag",
        "wrong_serialization",
    }
    assert num_fitting >= 17


def test_conformance_recordings_hold_nothing_to_train_on(recordings_dir: Path) -> None:
    for recording in discover(recordings_dir / "mcap_conformance")[::12]:
        with pytest.raises(PlanError, match=r"nothing to train on|no messages|no channel can become a feature"):
            draft_profile(scan(recording))


def test_a_camera_recording_of_realsense_goes_by_header_time(recordings_dir: Path) -> None:
    draft = draft_profile(scan(recordings_dir / "realsense_d4xx.bag"))
    assert draft.clock.clock == "header"
    assert [feature.name for feature in draft.features] == ["images/color_0", "depth/depth_0"]


def test_joints_of_a_real_arm_become_state_and_action(recordings_dir: Path) -> None:
    draft = draft_profile(scan(recordings_dir / "aerial_arm_db3"))
    assert draft.clock.clock == "log"
    rules = {feature.name: feature.parts[0]["rule"] for feature in draft.features if feature.is_active}
    assert rules == {"state": "linear", "action": "latest"}
