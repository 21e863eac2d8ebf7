"""A dataset of episodes whose every value is known."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from numcodecs import zstd

from bagmill.dataset import Dataset, EpisodeReport, FeatureReport, make_snapshot, save_report
from bagmill.episodes import EpisodeWriter

HEIGHT, WIDTH = 6, 8


@dataclass
class Library:
    """A dataset, and what was put into it: frames and values of valid ticks, by feature."""

    dataset: Dataset
    values: dict[str, list[np.ndarray]] = field(default_factory=dict)

    def add(self, episode: str, *, num_ticks: int, width: int = 3, dtype: type = np.float32, seed: int = 0) -> None:
        """An episode with a lossless camera, depth, a signal; every fifth tick is not valid."""
        rng = np.random.default_rng([seed, num_ticks])
        valid = np.arange(num_ticks) % 5 != 4
        pictures = rng.integers(0, 256, (num_ticks, HEIGHT, WIDTH, 3)).astype(np.uint8) // (1, 2, 4)
        pictures = pictures.astype(np.uint8)
        depths = rng.integers(400, 3000, (num_ticks, HEIGHT, WIDTH)).astype(np.uint16)
        depths[:, 0] = 0
        state = rng.normal(10, [1 + n for n in range(width)], (num_ticks, width)).astype(dtype)
        state[~valid] = np.nan
        if num_ticks > 3:
            state[3, 0] = np.nan  # valid, and not a number all the same
        with EpisodeWriter(self.dataset.path, episode, "v") as writer:
            size = {"num_ticks": num_ticks, "height": HEIGHT, "width": WIDTH}
            camera = writer.add_images("images/wrist", step="lossless", **size)
            depth = writer.add_depth("depth/wrist", attributes={"scale_m": 0.001}, **size)
            for tick in np.flatnonzero(valid).tolist():
                camera.put(tick, zstd.compress(pictures[tick].reshape(-1), 3))
                depth.put(tick, zstd.compress(depths[tick].reshape(-1), 3))
            names = [f"joint{n}" for n in range(width)]
            writer.put_signal("state", state, attributes={"names": names, "units": "rad"})
            writer.put_array("time", np.arange(num_ticks, dtype=np.int64))
            for name in ("images/wrist", "depth/wrist", "state"):
                writer.put_array(f"valid/{name}", valid)
            writer.publish({})
        features = (
            FeatureReport("images/wrist", "image", (HEIGHT, WIDTH, 3), "uint8", "/camera"),
            FeatureReport("depth/wrist", "depth", (HEIGHT, WIDTH), "uint16", "/depth"),
            FeatureReport("state", "signal", (width,), np.dtype(dtype).name, "/joints"),
        )
        report = EpisodeReport(
            episode, "v", f"/{episode}", "arm", 1, rate_hz="30", num_ticks=num_ticks, features=features
        )
        save_report(self.dataset, report)
        for name, values in (("images/wrist", pictures), ("depth/wrist", depths), ("state", state)):
            self.values.setdefault(name, []).append(values[valid])


@pytest.fixture
def make_library(tmp_path: Path) -> Callable[..., Library]:
    """Episodes of some numbers of ticks, and their snapshot."""

    def make(*num_ticks: int) -> Library:
        library = Library(Dataset(tmp_path / "dataset"))
        for n, num in enumerate(num_ticks):
            library.add(f"e{n}", num_ticks=num, seed=n)
        make_snapshot(library.dataset)
        return library

    return make
