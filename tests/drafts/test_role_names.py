"""Commands are named so that the loader and the exports take them for actions, arms so that they are told apart."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from bagmill.dataset import Dataset, make_snapshot
from bagmill.drafts import draft_profile, look_again, profile_yaml
from bagmill.drafts.naming import without_shared_words
from bagmill.errors import ExportError
from bagmill.exports import export_aloha, select_source
from bagmill.exports.aloha import layout as aloha
from bagmill.exports.lerobot import layout as lerobot
from bagmill.ingest import IngestRequest, ingest
from bagmill.normalisation import measure_normalisation
from bagmill.profile import parse_profile
from bagmill.streams import scan
from bagmill.testing import SampleMessage, write_mcap
from bagmill.training import EpisodeDataset
from tests.drafts.messages import joints, number

ARM = ["shoulder", "elbow", "wrist"]


def of_joints(*topics: str, num_messages: int = 60) -> list[SampleMessage]:
    return [
        joints(n, ARM, [math.sin(n / 20), n / 100, 1.0], topic=topic) for n in range(num_messages) for topic in topics
    ]


def numbers(topic: str, num_messages: int = 60) -> list[SampleMessage]:
    return [number(n, n / 100, topic=topic) for n in range(num_messages)]


def drafted(folder: Path, messages: Sequence[SampleMessage]) -> tuple[Path, dict[str, Any]]:
    path = write_mcap(folder / "r.mcap", sorted(messages, key=lambda message: message.log_ns))
    index = scan(path)
    return path, yaml.safe_load(profile_yaml(draft_profile(index, values=look_again(index))))


@pytest.mark.parametrize(
    ("messages", "names"),
    [
        (
            of_joints("/left/joint_states", "/right/joint_states", "/left/joint_command", "/right/joint_command"),
            ["state/left", "state/right", "action/left", "action/right"],
        ),
        (
            of_joints("/puppet_left/joint_states", "/puppet_right/joint_states", "/master_left/joint_states"),
            ["state/left", "state/right", "action"],
        ),
        ([*of_joints("/joint_states"), *numbers("/cmd")], ["state", "action"]),
        (
            [*of_joints("/joint_states"), *numbers("/gripper/position"), *numbers("/arm_controller/command")],
            ["state", "action"],
        ),
        (
            [
                *of_joints("/joint_states"),
                *numbers("/arm/command"),
                *numbers("/base/command"),
                *numbers("/lift/command"),
            ],
            ["state", "action/arm", "action/base", "action/lift"],
        ),
        # A topic that is called like the room of the arms' states cannot hold them inside itself.
        (
            [*of_joints("/left/joint_states", "/right/joint_states"), *numbers("/gripper/state")],
            ["state/left", "state/right", "state_value"],
        ),
    ],
    ids=["two arms", "one leader", "a number", "arm and gripper", "three commands", "a topic called state"],
)
def test_commands_are_actions_and_arms_are_states(
    messages: list[SampleMessage], names: list[str], tmp_path: Path
) -> None:
    _, profile = drafted(tmp_path, messages)
    assert list(profile["features"]) == names


def test_a_command_that_is_part_of_a_word_is_an_action_beside_the_other(tmp_path: Path) -> None:
    suggested = numbers("/fmu/trajectory_setpoint")
    path, _ = drafted(tmp_path, [*of_joints("/joint_states", "/joint_command"), *suggested])
    draft = draft_profile(scan(path))
    names = {feature.name: feature.is_active for feature in draft.features}
    assert names == {"state": True, "action/joint_command": True, "action/trajectory_setpoint": True}


def test_two_arms_are_trained_on_measured_and_exported_as_states_and_actions(tmp_path: Path) -> None:
    topics = ("/left/joint_states", "/right/joint_states", "/left/joint_command", "/right/joint_command")
    path, content = drafted(tmp_path, of_joints(*topics))
    request = IngestRequest(
        episode="e", recording=path, dataset=tmp_path / "dataset", profile=parse_profile(content), num_threads=1
    )
    outcome = ingest(request)
    assert outcome.refusal is None, outcome.refusal
    dataset = Dataset(tmp_path / "dataset")
    make_snapshot(dataset)
    arms = ("action/left", "action/right", "state/left", "state/right")
    batch = EpisodeDataset(dataset, history=2, horizon=5).batch([10])
    assert [np.shape(batch[name]) for name in arms] == [(1, 5, 3), (1, 5, 3), (1, 2, 3), (1, 2, 3)]
    assert set(measure_normalisation(dataset).features) == set(arms)
    source = select_source(dataset)
    names = {
        name: (lerobot.default_key(source.features[name]), aloha.default_name(source.features[name])) for name in arms
    }
    assert names == {
        "action/left": ("action.left", "action.left"),
        "action/right": ("action.right", "action.right"),
        "state/left": ("observation.state.left", "observations/state.left"),
        "state/right": ("observation.state.right", "observations/state.right"),
    }
    with pytest.raises(ExportError, match="--map state/left=qpos --map state/right=qpos"):
        export_aloha(source, tmp_path / "aloha")


@pytest.mark.parametrize(
    ("names", "without"),
    [
        (["left_arm", "right_arm"], ["left", "right"]),
        (["robot_left_arm", "robot_right_arm"], ["left", "right"]),
        (["arm", "arm_left"], ["arm", "arm_left"]),
        (["arm_1", "arm_2"], ["arm_1", "arm_2"]),
        (["arm"], ["arm"]),
    ],
)
def test_what_names_share_tells_nothing(names: list[str], without: list[str]) -> None:
    assert without_shared_words(names) == without
