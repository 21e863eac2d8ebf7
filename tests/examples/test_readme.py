"""The README's way to train, on what `make demo` makes."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bagmill.dataset import Dataset, load_snapshot, make_snapshot, select
from bagmill.ingest import IngestRequest, ingest
from bagmill.profile import load_profile
from tests.once import made_once

ROOT = Path(__file__).parents[2]
TRAINING = re.search(r"## Train from it\n\n```python\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)[1]
WHERE = re.search(r'where="(.*?)"', TRAINING)[1]


@pytest.fixture(scope="session")
def demo(samples, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Half a second of two of the demo's recordings, ingested by its profile, but for the films."""
    loaded = load_profile(ROOT / "examples" / "profiles" / "aloha_demo.yaml")
    profile = loaded.model_copy(update={"preview": loaded.preview.model_copy(update={"enabled": False})})

    def make(folder: Path) -> None:
        for name in ("aloha_jpeg.mcap", "aloha_raw.bag"):
            request = IngestRequest(episode=name, recording=samples.folder / name, dataset=folder, profile=profile)
            assert ingest(request).refusal is None
        make_snapshot(Dataset(folder))

    return Dataset(made_once(tmp_path_factory, "demo_dataset", make))


def test_its_condition_chooses_every_episode_that_the_demo_publishes(demo: Dataset):
    table = load_snapshot(demo, "latest")
    assert len(table) == 2
    assert table["quality.skew"].between(7, 9).all(), "near what the README's table has of six seconds"
    shown = re.findall(r"published +\d+ .* ([\d.]+) +\d+/\d+\n", (ROOT / "README.md").read_text())
    assert len(shown) == 3
    for skews in (table["quality.skew"], np.array(shown, float)):
        # The demo's own recordings are of six seconds, 178 ticks and more.
        given = pd.DataFrame({"num_ticks": 178, "quality.skew": np.asarray(skews)})
        assert len(select(given, WHERE)) == len(given)


def test_its_lines_run(demo: Dataset):
    torch = pytest.importorskip("torch", reason="torch is not installed: pip install -e '.[torch]'")
    lines = TRAINING
    for said, small in (('"var/dataset"', repr(str(demo.path))), ("num_ticks > 100", "num_ticks > 5"), ("=64", "=16")):
        assert lines.count(said) == 1
        lines = lines.replace(said, small)
    names: dict[str, object] = {}
    exec(compile(lines, "README.md", "exec"), names)  # noqa: S102 - the README is ours
    batch = names["batch"]
    assert batch["images/cam_wrist"].shape == (16, 2, 3, 224, 224)
    assert batch["images/cam_wrist"].dtype == torch.uint8
    assert batch["action"].shape == (16, 16, 14)
    assert batch["action"].is_floating_point()
    assert batch["mask/action"].dtype == torch.bool
    assert batch["mask/action"].any()
