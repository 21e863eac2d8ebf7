import numpy as np
import pytest

from bagmill.dataset import HeldFeature
from bagmill.errors import ExportError
from bagmill.exports.aloha import layout as aloha
from bagmill.exports.lerobot import layout as lerobot
from bagmill.exports.targets import resolve_targets


def _features(*names: str) -> dict[str, HeldFeature]:
    made = {}
    for name in names:
        room = name.partition("/")[0]
        kind = {"images": "image", "depth": "depth"}.get(room, "signal")
        shape = {"image": (4, 6, 3), "depth": (4, 6), "signal": (2,)}[kind]
        made[name] = HeldFeature(name, kind, shape, np.dtype("float32"))
    return made


@pytest.mark.parametrize(
    ("name", "for_lerobot", "for_aloha"),
    [
        ("images/cam/left", "observation.images.cam.left", "observations/images/cam.left"),
        ("depth/wrist", None, "observations/images_depth/wrist"),
        ("state", "observation.state", "observations/qpos"),
        ("state_velocity", "observation.state_velocity", "observations/qvel"),
        ("effort", "observation.effort", "observations/effort"),
        ("imu/turn_rate", "observation.imu.turn_rate", "observations/imu.turn_rate"),
        ("action", "action", "action"),
        ("actions", "action", "action"),
        ("action/gripper", "action.gripper", "action.gripper"),
        ("actions/gripper", "action.gripper", "action.gripper"),
        ("state/left", "observation.state.left", "observations/state.left"),
    ],
)
def test_names(name: str, for_lerobot: str | None, for_aloha: str):
    feature = _features(name)[name]

    assert lerobot.default_key(feature) == for_lerobot
    assert aloha.default_name(feature) == for_aloha


def test_signals_of_one_name_are_joined_in_order():
    features = _features("gripper", "images/top", "state", "action", "hand", "depth/top")

    targets, homeless = resolve_targets(
        features,
        default=lerobot.default_key,
        own={"hand": "observation.state", "gripper": "observation.state", "images/top": "observation.images.up"},
    )

    assert [(target.name, [each.name for each in target.features], target.width) for target in targets[1:]] == [
        ("observation.state", ["state", "hand", "gripper"], 6),
        ("action", ["action"], 2),
    ]
    assert targets[0].name == "observation.images.up"
    assert [each.name for each in homeless] == ["depth/top"]


def test_what_cannot_be_joined():
    with pytest.raises(ExportError, match="both action and actions would be written as action"):
        resolve_targets(_features("action", "actions"), default=lerobot.default_key, own={})
    with pytest.raises(ExportError, match="images/b, images/a would all be written as observation.images.a"):
        resolve_targets(
            _features("images/a", "images/b"),
            default=lerobot.default_key,
            own={"images/b": "observation.images.a", "images/a": "observation.images.a"},
        )
    with pytest.raises(ExportError, match="a name is given for arm, which is not exported. There are state"):
        resolve_targets(_features("state"), default=lerobot.default_key, own={"arm": "x"})


@pytest.mark.parametrize("key", ["", "a/b", "index", "valid", "task", "observation.image_mean", "a\nb"])
def test_names_that_lerobot_would_misread(key: str):
    with pytest.raises(ExportError):
        lerobot.check_key(key, kind="signal")


@pytest.mark.parametrize(
    ("name", "feature"),
    [
        ("observations/images/x", "state"),
        ("observations/x", "images/top"),
        ("observations/images/x", "depth/top"),
        ("bagmill/x", "state"),
        ("observations", "state"),
        ("compress_len", "state"),
        ("", "state"),
    ],
)
def test_names_that_aloha_would_misread(name: str, feature: str):
    with pytest.raises(ExportError):
        aloha.check_name(name, _features(feature)[feature])


@pytest.mark.parametrize(
    ("short", "full"),
    [
        ("qpos", "observations/qpos"),
        ("/observations/qvel", "observations/qvel"),
        ("images/top", "observations/images/top"),
        ("action", "action"),
    ],
)
def test_short_names(short: str, full: str):
    assert aloha.full_name(short) == full
