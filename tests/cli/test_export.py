import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bagmill.dataset import Dataset, make_snapshot


@pytest.fixture
def snapshot(dataset: Path) -> str:
    """Of the dataset of one episode."""
    return make_snapshot(Dataset(dataset)).id


def test_to_lerobot(command: Callable, dataset: Path, snapshot: str, tmp_path: Path):
    answer = command("export", "lerobot", dataset, "--out", tmp_path / "out", "--threads", "2")

    assert answer.code == 0
    assert "observation.images.cam_high" in answer.out
    assert "depth/cam_high is not in the export: LeRobot has no exact depth." in answer.out
    assert f"LeRobot v3.0: 1 episode of snapshot {snapshot}, " in answer.out
    assert f"Written to {tmp_path / 'out'}; the report is its bagmill_export.json." in answer.err
    info = json.loads((tmp_path / "out/meta/info.json").read_text())
    assert info["total_episodes"] == 1
    assert info["features"]["observation.state"]["names"] == ["shoulder", "elbow", "wrist"]


def test_as_json(command: Callable, dataset: Path, snapshot: str, tmp_path: Path):
    answer = command(
        *("export", "lerobot", dataset, "--out", tmp_path / "out", "--json", "--crf", "50", "--no-masks"),
        *("--feature", "images/cam_high", "--feature", "action", "--map", "action=action.joints"),
        *("--where", "num_ticks > 5", "--invalid", "skip"),
    )

    assert answer.code == 0
    document = answer.document
    assert (document["snapshot"], document["where"]) == (snapshot, "num_ticks > 5")
    assert document["settings"]["crf"] == 50
    assert document["settings"]["invalid"] == "skip"
    written = {each["feature"]: each["written_as"] for each in document["features"]}
    assert written["action"] == "action.joints"
    assert written["state"] is None


def test_to_aloha(command: Callable, dataset: Path, snapshot: str, tmp_path: Path):
    h5py = pytest.importorskip("h5py", reason="h5py is in the extra `exports`")

    answer = command("export", "aloha", dataset, "--out", tmp_path / "out", "--compress")

    assert answer.code == 0
    assert "exact" in answer.out
    with h5py.File(tmp_path / "out/episode_0.hdf5") as root:
        assert root.attrs["compress"]
        assert list(root["observations/images"]) == ["cam_high", "cam_wrist"]


@pytest.mark.parametrize(
    ("arguments", "complaint", "code"),
    [
        (("lerobot", "--compress"), "No such option: --compress", 2),
        (("lerobot", "--crf", "0"), "Invalid value for '--crf'", 2),
        (("lerobot", "--map", "state"), "expected FEATURE=NAME, found 'state'", 2),
        (("lerobot", "--map", "state=a", "--map", "state=b"), "state is given two names", 2),
        (("rlds",), "No such command 'rlds'", 2),
        (("lerobot", "--where", "no_column > 1"), "no_column", 2),
        (("lerobot", "--where", "num_ticks > 1000000"), "none of the 1 episodes of snapshot", 1),
        (("lerobot", "--feature", "nothing"), "no episode has nothing. There are images/cam_high", 1),
        (("lerobot", "--snapshot", "papre"), "Known names: latest", 1),
        (("aloha", "--feature", "state"), "no feature is written as action", 1),
    ],
)
def test_what_is_refused(
    command: Callable,
    dataset: Path,
    snapshot: str,
    tmp_path: Path,
    arguments: tuple[str, ...],
    complaint: str,
    code: int,
):
    if arguments[0] == "aloha":
        pytest.importorskip("h5py", reason="h5py is in the extra `exports`")
    to, *options = arguments

    answer = command("export", to, dataset, "--out", tmp_path / "out", *options)

    assert complaint in " ".join(answer.err.split())
    assert answer.code == code
    assert not (tmp_path / "out").exists()


def test_folders(command: Callable, dataset: Path, snapshot: str, tmp_path: Path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")

    assert "is no dataset" in command("export", "lerobot", tmp_path / "full", "--out", tmp_path / "out").err
    answer = command("export", "lerobot", dataset, "--out", tmp_path / "full")

    assert answer.code == 1
    assert "full: is not empty. Name a new folder" in answer.err
    assert [path.name for path in (tmp_path / "full").iterdir()] == ["mine"]
