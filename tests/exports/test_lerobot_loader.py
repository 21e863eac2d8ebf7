"""LeRobot's own loader opens what was exported, with both of its decoders."""

import json
import os
import subprocess
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bagmill.dataset import Dataset
from bagmill.exports import LeRobotSettings, export_lerobot, select_source
from benchmarks.loader.lerobot_environment import LeRobot, find_lerobot

pytestmark = pytest.mark.slow

CAMERA = "observation.images.cam_high"
READER = Path(__file__).with_name("lerobot_reader.py")


@pytest.fixture(scope="module")
def lerobot() -> LeRobot:
    caches = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache"))
    if not (caches / "bagmill-bench" / "lerobot-0.4.4" / ".ready").exists():
        pytest.skip("LeRobot's environment is not there: `python -m benchmarks.ingest --with-lerobot` makes it")
    found, sentences = find_lerobot(is_asked_for=True)
    assert found is not None, sentences
    return found


def _read(lerobot: LeRobot, root: Path, backend: str, out: Path) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    environment = {**os.environ, **lerobot.environment, "HF_HUB_OFFLINE": "1", "HF_HOME": str(out.parent / "hf")}
    ran = subprocess.run(
        [lerobot.python, READER, root, backend, out], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    with np.load(out) as read:
        return json.loads(str(read["facts"])), {key: read[key] for key in read.files if key != "facts"}


def _psnr(one: np.ndarray, other: np.ndarray) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


@pytest.mark.parametrize("backend", ["torchcodec", "pyav"])
@pytest.mark.parametrize(("rate_hz", "max_video_mb"), [("30", 200), ("30000/1001", 0)])
def test_lerobot_reads_what_was_exported(
    make_dataset: Callable[..., Dataset],
    recipe,
    lerobot: LeRobot,
    tmp_path: Path,
    backend: str,
    rate_hz: str,
    max_video_mb: int,
):
    if backend not in lerobot.backends:
        pytest.skip(f"{backend} cannot be loaded in LeRobot's environment")
    signals = {"state": 3, "action": 2, "force": 1}
    recipes = [
        recipe("a", rate_hz=rate_hz, signals=signals, invalid={"state": (3,)}),
        recipe("b", rate_hz=rate_hz, signals=signals, num_ticks=25, task="wave"),
        recipe("c", rate_hz=rate_hz, signals=signals, num_ticks=7),
    ]
    settings = LeRobotSettings(crf=10, max_video_mb=max_video_mb)
    report = export_lerobot(select_source(make_dataset(*recipes)), tmp_path / "out", settings=settings)

    facts, read = _read(lerobot, tmp_path / "out", backend, tmp_path / "read.npz")

    assert (facts["num_episodes"], facts["num_frames"], facts["robot_type"]) == (3, 44, "arm7")
    assert facts["fps"] == pytest.approx(float(Fraction(rate_hz)))
    assert facts["camera_keys"] == [CAMERA]
    assert facts["num_edited"] == [2, 32, 5, 76], "LeRobot's own tools work on it"
    assert facts["tasks"] == ["pick up the cup"] * 12 + ["wave"] * 25 + ["pick up the cup"] * 7
    assert {"mean", "std", "min", "max", "count", "q01", "q99"} <= set(facts["stats"][CAMERA])
    expected = np.concatenate([each.values("state") for each in recipes])
    expected[3] = expected[2]
    np.testing.assert_array_equal(read["observation.state"], expected)
    np.testing.assert_array_equal(read["action"], np.concatenate([each.values("action") for each in recipes]))
    forces = np.concatenate([each.values("force") for each in recipes])
    np.testing.assert_array_equal(read["observation.force"].reshape(-1, 1), forces)
    np.testing.assert_array_equal(read["valid"][:, [0, 2, 3]], True)
    assert np.flatnonzero(~read["valid"][:, 1]).tolist() == [3]
    np.testing.assert_array_equal(read["episode_index"], np.repeat([0, 1, 2], [12, 25, 7]))

    stored = [each.stored(tick) for each in recipes for tick in range(each.num_ticks)]
    frames = np.moveaxis(read[CAMERA], 1, -1) * 255
    psnrs = [_psnr(frame, picture) for frame, picture in zip(frames, stored, strict=True)]
    # Colours by another matrix would be 10 dB lower, a picture one tick off 15 dB.
    assert min(psnrs) > 35
    loss = next(each.psnr_db for each in report.features if each.feature == "images/cam_high")
    assert loss is not None
    assert loss.median == pytest.approx(np.median(psnrs), abs=1.5), "the report tells what a reader gets"

    np.testing.assert_array_equal(read["chunk_actions"], recipes[1].values("action")[3:7])
    for frame, tick in zip(np.moveaxis(read["chunk_frames"], 1, -1) * 255, (2, 3), strict=True):
        assert _psnr(frame, recipes[1].stored(tick)) > 35
