"""Which profile a recording gets, and what its rule says of robot and task."""

from pathlib import Path

import pytest
import yaml

from bagmill.errors import ProfileError, SettingsError
from bagmill.profile import load_profile
from bagmill.testing import small_profile
from pipelines.deployment import load_deployment
from pipelines.wiring import profile_rules
from resources.profiles import ProfileRule, ProfileRules, Told


def _profile(folder: Path, name: str) -> str:
    path = folder / f"{name}.yaml"
    path.write_text(yaml.safe_dump(small_profile() | {"name": name}))
    return str(path)


@pytest.fixture
def rules(tmp_path: Path) -> ProfileRules:
    return ProfileRules(
        rules=[
            ProfileRule(match="left/*.mcap", profile=_profile(tmp_path, "left")),
            ProfileRule(match="*.mcap", profile=_profile(tmp_path, "any")),
        ]
    )


@pytest.mark.parametrize(
    ("recording", "profile"),
    [("left/a.mcap", "left"), ("left/day1/a.mcap", "left"), ("right/a.mcap", "any"), ("a.mcap", "any")],
)
def test_the_first_rule_that_matches_counts(rules: ProfileRules, recording: str, profile: str) -> None:
    assert rules.reader()(recording).name == profile


def test_no_rule_is_a_refusal_that_names_the_rules(rules: ProfileRules) -> None:
    with pytest.raises(
        ProfileError, match=r"recording a\.bag; the deployment's rules are: `left/\*\.mcap`, `\*\.mcap`"
    ):
        rules.reader()("a.bag")
    with pytest.raises(ProfileError, match="rules are: none"):
        ProfileRules(rules=[]).reader()("a.bag")


def test_a_profile_that_is_not_valid_is_told_for_every_recording(tmp_path: Path) -> None:
    (tmp_path / "wrong.yaml").write_text("name: [")
    read = ProfileRules(rules=[ProfileRule(match="*", profile=str(tmp_path / "wrong.yaml"))]).reader()
    for recording in ("a.mcap", "b.mcap"):
        with pytest.raises(ProfileError, match="is not YAML"):
            read(recording)


@pytest.mark.parametrize(
    ("told", "recording", "robot"),
    [
        (Told(text="seven"), "a.mcap", "seven"),
        (Told(folder=1), "robot_7/monday/a.mcap", "robot_7"),
        (Told(folder=2), "fleet/robot_7/monday/a.mcap", "robot_7"),
        (Told(folder=-1), "fleet/robot_7/a.mcap", "robot_7"),
        (Told(folder=-2), "robot_7/monday/a.mcap", "robot_7"),
    ],
)
def test_a_rule_may_name_the_robot(tmp_path: Path, told: Told, recording: str, robot: str) -> None:
    rules = ProfileRules(rules=[ProfileRule(match="*", profile=_profile(tmp_path, "any"), robot=told)])
    profile = rules.reader()(recording)
    assert (profile.robot, profile.task) == (robot, small_profile()["task"])
    # Nothing but that differs from the file's.
    assert profile.model_copy(update={"robot": small_profile()["robot"]}) == load_profile(tmp_path / "any.yaml")


@pytest.mark.parametrize("recording", ["a.mcap", "robot_7/a.mcap"])
def test_a_recording_that_does_not_lie_that_deep_is_refused(tmp_path: Path, recording: str) -> None:
    rule = ProfileRule(match="*", profile=_profile(tmp_path, "any"), robot=Told(folder=2))
    with pytest.raises(ProfileError, match=r"the robot of recording .*a\.mcap is to be the name of folder 2") as caught:
        ProfileRules(rules=[rule]).reader()(recording)
    assert "rule of its own" in str(caught.value)


def test_recordings_of_which_the_same_is_told_share_one_profile(tmp_path: Path) -> None:
    rule = ProfileRule(match="*", profile=_profile(tmp_path, "any"), robot=Told(folder=1))
    read = ProfileRules(rules=[rule]).reader()
    assert read("one/a.mcap") is read("one/b.mcap")
    assert read("one/a.mcap") != read("two/a.mcap")


def test_the_deployment_file_says_it(tmp_path: Path) -> None:
    _profile(tmp_path, "any")
    path = tmp_path / "deployment.yaml"
    path.write_text("profiles: [{match: '*', profile: any.yaml, robot: {folder: 1}, task: pour}]\n")
    profile = profile_rules(load_deployment(path).profiles).reader()("robot_7/a.mcap")
    assert (profile.robot, profile.task) == ("robot_7", "pour")


@pytest.mark.parametrize(
    ("robot", "sentence"),
    [
        ("{folder: 0}", "folders are counted from 1"),
        ("{file: 1}", "expected a text or {folder: number}"),
        ("[1]", "expected a text or {folder: number}"),
        ("{folder: first}", "expected a text or {folder: number}"),
    ],
)
def test_what_is_no_robot_is_told_with_its_place(tmp_path: Path, robot: str, sentence: str) -> None:
    path = tmp_path / "deployment.yaml"
    path.write_text(f"profiles: [{{match: '*', profile: any.yaml, robot: {robot}}}]\n")
    with pytest.raises(SettingsError) as caught:
        load_deployment(path)
    assert sentence in str(caught.value)
    assert "$.profiles[0].robot" in str(caught.value)
    assert str(caught.value).count("@") == 1
