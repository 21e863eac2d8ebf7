from fractions import Fraction
from pathlib import Path

import pytest

from bagmill.drafts import ProfileDraft, draft_profile, look_again, profile_yaml
from bagmill.streams import scan
from bagmill.testing import START_NS, SampleMessage, write_mcap
from bagmill.testing.damage import truncated
from tests.drafts.messages import MS, frame, joints, number


def drafted(path: Path, *messages: SampleMessage, rate_hz: Fraction | None = None) -> ProfileDraft:
    index = scan(write_mcap(path / "r.mcap", sorted(messages, key=lambda message: message.log_ns)))
    return draft_profile(index, rate_hz=rate_hz, values=look_again(index))


def commands(num_messages: int = 50) -> list[SampleMessage]:
    return [number(n, n / 10, topic="/cartpole/action") for n in range(num_messages)]


def test_an_action_without_an_observation_is_told(tmp_path: Path) -> None:
    draft = drafted(tmp_path, *commands())
    assert draft.warnings == (
        "There is an action and no observation: a policy could not learn anything from this recording.",
    )
    assert "# → There is an action and no observation" in profile_yaml(draft)


def test_what_comes_beside_a_lone_action_is_taken_as_the_observation(tmp_path: Path) -> None:
    draft = drafted(tmp_path, *commands(), *(number(n, n / 10, topic="/cartpole/level") for n in range(50)))
    assert {feature.name for feature in draft.features if feature.is_active} == {"level", "action"}
    assert "/cartpole/level is taken as one" in draft.warnings[0]


@pytest.mark.parametrize("topic", ["/gripper_cmd", "/arm_target", "/fmu/in/thrust_setpoint", "/teleop/suction"])
def test_a_command_beside_joints_is_taken(topic: str, tmp_path: Path) -> None:
    arm = [joints(n, ["a"], [n / 10]) for n in range(50)]
    draft = drafted(tmp_path, *arm, *(number(n, n // 11 % 2, topic=topic) for n in range(50)))
    (command,) = [feature for feature in draft.features if feature.channels == (topic,)]
    assert command.is_active
    assert draft.warnings == ()


def test_a_command_that_is_left_out_is_told(tmp_path: Path) -> None:
    arm = [joints(n, ["a"], [n / 10]) for n in range(50)]
    draft = drafted(tmp_path, *arm, number(3, 1.0, topic="/gripper_cmd"))
    assert draft.warnings == ("The command /gripper_cmd is left out: a single message, where a timeline needs two.",)


def test_what_is_drawn_for_people_is_no_command(tmp_path: Path) -> None:
    arm = [joints(n, ["a"], [n / 10]) for n in range(50)]
    marker = SampleMessage("/goal_marker", "visualization_msgs/msg/Marker", {"id": 1}, log_ns=START_NS + MS)
    assert drafted(tmp_path, *arm, marker).warnings == ()


def test_pictures_that_are_not_used_are_told(tmp_path: Path) -> None:
    draft = drafted(tmp_path, *(frame(n) for n in range(60)), rate_hz=Fraction(3))
    assert "1 of 10 pictures of images/cam is used: they come at 30.3 Hz" in draft.warnings[0]


def test_a_camera_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    values = {"height": 2, "width": 2, "encoding": "weird", "step": 2, "data": b"1234"}
    strange = [
        SampleMessage("/cam", "sensor_msgs/msg/Image", values, log_ns=START_NS + n * MS, header_ns=START_NS + n * MS)
        for n in range(20)
    ]
    draft = drafted(tmp_path, *strange, *(joints(n, ["a"], [n / 10]) for n in range(50)))
    assert draft.warnings[0].startswith("The camera /cam is left out: pixels of encoding 'weird'")


def test_a_camera_whose_every_picture_is_damaged_is_told(tmp_path: Path) -> None:
    values = {"format": "jpeg", "data": b"\xff\xd8\xff\xe0no picture at all\xff\xd9"}
    schema = "sensor_msgs/msg/CompressedImage"
    damaged = [
        SampleMessage("/cam", schema, values, log_ns=START_NS + n * MS, header_ns=START_NS + n * MS) for n in range(20)
    ]
    draft = drafted(tmp_path, *damaged, *(joints(n, ["a"], [n / 10]) for n in range(50)))
    assert "The camera /cam is left out" in draft.warnings[0]


def test_a_frozen_camera_is_told_and_the_check_is_wider(tmp_path: Path) -> None:
    draft = drafted(tmp_path, *(frame(n, shown=n // 2) for n in range(60)))
    assert draft.warnings[0].startswith("51 % of the pictures of images/cam repeat the one before")
    assert [(check.name, check.threshold) for check in draft.checks] == [("frames_frozen", 65)]


def test_damage_that_keeps_a_recording_out_is_told(tmp_path: Path) -> None:
    index = scan(truncated(tmp_path / "r.mcap"))
    draft = draft_profile(index, values=look_again(index))
    assert any("container_intact" in warning and "--salvage" in warning for warning in draft.warnings)


def test_a_recording_that_is_refused_anyway_gets_no_wider_checks(tmp_path: Path) -> None:
    frames = [frame(n, shown=n // 2) for n in range(60)]
    whole = write_mcap(tmp_path / "whole.mcap", frames)
    cut = tmp_path / "cut.mcap"
    cut.write_bytes(whole.read_bytes()[: whole.stat().st_size * 4 // 5])
    for path, is_widened in ((whole, True), (cut, False)):
        index = scan(path)
        draft = draft_profile(index, values=look_again(index))
        assert bool(draft.checks) is is_widened
        assert ("checks:" in profile_yaml(draft).replace("`checks:", "")) is is_widened
        assert any("% of the pictures of images/cam repeat the one before" in warning for warning in draft.warnings)


def test_no_sentence_writes_a_feature_otherwise_than_it_is_called(tmp_path: Path) -> None:
    messages = [joints(n, ["a"], [n / 10]) for n in range(200) if not 80 < n < 100]
    draft = drafted(tmp_path, *messages, *(frame(n) for n in range(20)))
    told = [warning for warning in draft.warnings if "its own time" in warning or "all the time" in warning]
    assert told
    assert all(warning.startswith("The feature ") for warning in told)


def test_a_sound_recording_gives_no_warning(tmp_path: Path) -> None:
    draft = drafted(tmp_path, *(frame(n) for n in range(60)), *(joints(n, ["a"], [n / 10]) for n in range(100)))
    assert draft.warnings == ()
