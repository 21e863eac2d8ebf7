"""The files are judged by h5py, Pillow and OpenCV, read as ALOHA's and ACT's programs read them."""

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from bagmill.dataset import Dataset
from bagmill.errors import ExportError, StorageError
from bagmill.exports import REPORT_FILE, AlohaSettings, export_aloha, select_source

h5py = pytest.importorskip("h5py", reason="h5py is in the extra `exports`")

MakeDataset = Callable[..., Dataset]
TWO = {"images/wrist": (48, 64), "images/cam_high": (64, 96), "depth/cam_high": (48, 64)}


def test_pixels(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", cameras=TWO, signals={"state": 3, "qvel": 3, "action": 3})
    dataset = make_dataset(made)

    report = export_aloha(select_source(dataset), tmp_path / "out")

    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [REPORT_FILE, "episode_0.hdf5"]
    with h5py.File(tmp_path / "out/episode_0.hdf5") as root:
        assert not root.attrs["sim"]
        assert not root.attrs["compress"]
        assert (root.attrs["task"], root.attrs["bagmill_episode"]) == ("pick up the cup", "a")
        for name, feature in (("/observations/qpos", "state"), ("/observations/qvel", "qvel"), ("/action", "action")):
            assert root[name].dtype == np.float32
            np.testing.assert_array_equal(root[name][()], made.values(feature))
        assert list(root["/observations/images"]) == ["cam_high", "wrist"]
        for camera in ("cam_high", "wrist"):
            pictures = root[f"/observations/images/{camera}"]
            assert (pictures.dtype, pictures.chunks) == (np.uint8, (1, *pictures.shape[1:]))
            for tick in range(12):
                np.testing.assert_array_equal(pictures[tick], made.stored(tick, f"images/{camera}"))
        depth = root["/observations/images_depth/cam_high"]
        assert depth.attrs["scale_m"] == 0.001
        np.testing.assert_array_equal(depth[()], [made.depth(tick) for tick in range(12)])
    exact = {each.feature: each.psnr_db.worst for each in report.features if each.psnr_db is not None}
    assert exact == {"images/wrist": 100, "images/cam_high": 100}
    assert report.losses == ()


def test_nothing_about_the_ticks_is_lost(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", invalid={"images/cam_high": (0, 5), "state": (3,)}, interpolated={"state": (1, 2)})

    report = export_aloha(select_source(make_dataset(made)), tmp_path / "out")

    with h5py.File(tmp_path / "out/episode_0.hdf5") as root:
        np.testing.assert_array_equal(root["bagmill/time"][()], made.time_ns)
        for feature in ("images/cam_high", "depth/cam_high", "state", "action"):
            valid = made.valid(feature)
            np.testing.assert_array_equal(root[f"bagmill/valid/{feature}"][()], valid)
            source = np.where(valid, made.time_ns + 2_000_000, made.time_ns)
            np.testing.assert_array_equal(root[f"bagmill/source/{feature}"][()], source)
            np.testing.assert_array_equal(root[f"bagmill/sequence/{feature}"][()], np.where(valid, np.arange(12), -1))
        assert np.flatnonzero(root["bagmill/interpolated/state"][()]).tolist() == [1, 2]
        np.testing.assert_array_equal(root["observations/qpos"][()], made.values("state")[[0, 1, 2, 2, *range(4, 12)]])
        np.testing.assert_array_equal(root["observations/images/cam_high"][0], made.stored(1))
        np.testing.assert_array_equal(root["observations/images/cam_high"][5], made.stored(4))
        assert np.isnan(root["observations/qvel"][()]).all()
        assert root["observations/qvel"].shape == (12, 3)
    assert list(report.losses) == [
        "images/cam_high: 2 of 12 ticks have no value of their own; the last valid one stands there.",
        "state: 1 of 12 ticks have no value of their own; the last valid one stands there.",
        "No feature is written as observations/qvel: it is there, and holds nothing but nan.",
    ]


def test_jpegs_are_copied(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", cameras=TWO, lossless=("images/wrist",))
    settings = AlohaSettings(is_compressed=True)

    report = export_aloha(select_source(make_dataset(made)), tmp_path / "out", settings=settings)

    with h5py.File(tmp_path / "out/episode_0.hdf5") as root:
        assert root.attrs["compress"]
        lengths = root["/compress_len"][()]
        assert lengths.shape == (2, 12)
        for place, camera in enumerate(root["/observations/images"]):
            padded = root[f"/observations/images/{camera}"]
            assert padded.shape == (12, lengths.max())
            for tick in range(12):
                data = padded[tick, : int(lengths[place, tick])].tobytes()
                assert not padded[tick, int(lengths[place, tick]) :].any()
                stored = made.stored(tick, f"images/{camera}")
                if camera == "cam_high":
                    assert data == made.jpeg(tick)
                np.testing.assert_allclose(np.asarray(Image.open(io.BytesIO(data))), stored, atol=40)
                # As ALOHA's readers do it, with the zeros behind; OpenCV gives blue first.
                np.testing.assert_allclose(cv2.imdecode(padded[tick], 1)[..., ::-1], stored, atol=40)
    losses = {each.feature: each.psnr_db for each in report.features if each.psnr_db is not None}
    assert losses["images/cam_high"].worst == 100
    assert 30 < losses["images/wrist"].worst < 60
    assert any("images/wrist is compressed once more" in loss for loss in report.losses)


def test_what_must_be_there(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", cameras={}, signals={"arm": 3, "action": 2, "gripper": 1})
    dataset = make_dataset(made)

    with pytest.raises(ExportError, match="no feature is written as observations/qpos.*--map FEATURE=qpos"):
        export_aloha(select_source(dataset), tmp_path / "out")
    export_aloha(select_source(dataset), tmp_path / "out", names={"arm": "qpos", "gripper": "qpos"})

    with h5py.File(tmp_path / "out/episode_0.hdf5") as root:
        expected = np.concatenate([made.values("arm"), made.values("gripper")], axis=1)
        np.testing.assert_array_equal(root["observations/qpos"][()], expected)
        assert list(root["observations/qpos"].attrs["names"]) == ["joint0", "joint1", "joint2", "joint0"]


def test_actions_of_several_arms_are_actions(make_dataset: MakeDataset, recipe, tmp_path: Path):
    made = recipe("a", cameras={}, signals={"state": 3, "action/left": 2, "action/right": 1})
    source = select_source(make_dataset(made))

    with pytest.raises(ExportError, match="written as action, .*--map action/left=action --map action/right=action"):
        export_aloha(source, tmp_path / "out")
    export_aloha(source, tmp_path / "joined", names={"action/left": "action", "action/right": "action"})
    export_aloha(source, tmp_path / "one", names={"action/right": "action"})

    with h5py.File(tmp_path / "joined/episode_0.hdf5") as root:
        expected = np.concatenate([made.values("action/left"), made.values("action/right")], axis=1)
        np.testing.assert_array_equal(root["action"][()], expected)
    with h5py.File(tmp_path / "one/episode_0.hdf5") as root:
        np.testing.assert_array_equal(root["action.left"][()], made.values("action/left"))


def test_one_file_an_episode(make_dataset: MakeDataset, recipe, tmp_path: Path):
    dataset = make_dataset(
        recipe("a", cameras={}, invalid={"state": (1,)}), recipe("b", cameras={}), recipe("c", cameras={}, num_ticks=5)
    )

    report = export_aloha(select_source(dataset), tmp_path / "out", settings=AlohaSettings(invalid="skip"))

    files = sorted((tmp_path / "out").glob("*.hdf5"))
    assert [file.name for file in files] == ["episode_0.hdf5", "episode_1.hdf5"]
    lengths = []
    for file in files:
        with h5py.File(file) as root:
            lengths.append(root["action"].shape[0])
    assert lengths == [12, 5]
    assert [each.episode for each in report.episodes] == ["b", "c"]
    assert [each.reason for each in report.skipped] == ["state is not valid at 1 of 12 ticks"]
    assert json.loads((tmp_path / "out" / REPORT_FILE).read_text())["num_ticks"] == 17


def test_a_damaged_frame_leaves_nothing(make_dataset: MakeDataset, recipe, tmp_path: Path):
    dataset = make_dataset(recipe("a"))
    shard = next(path for path in (dataset.episodes_dir / "a/v1.zarr/images/cam_high/c").rglob("*") if path.is_file())
    shard.write_bytes(shard.read_bytes()[:-40])

    with pytest.raises(StorageError):
        export_aloha(select_source(dataset), tmp_path / "out")

    assert [path.name for path in tmp_path.iterdir()] == ["dataset"]


def test_without_h5py(make_dataset: MakeDataset, recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    source = select_source(make_dataset(recipe("a", cameras={})))
    monkeypatch.setitem(sys.modules, "h5py", None)

    with pytest.raises(ExportError, match=r"needs the package h5py\. Install bagmill\[exports\]"):
        export_aloha(source, tmp_path / "out")

    assert not (tmp_path / "out").exists()
