"""A dataset of four short episodes that differ in all that training may meet: length, gaps, skew, robot."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bagmill.dataset import Dataset, make_snapshot
from bagmill.testing.content import depth_picture, joint_command, joint_position, picture
from bagmill.testing.published import PublishedEpisode, publish_episode


def _episode(name: str, num_ticks: int, *, seed: int, **changes: object) -> PublishedEpisode:
    rng = np.random.default_rng(seed)
    time_s = np.arange(num_ticks) / 30
    return PublishedEpisode(
        **{
            "name": name,
            "num_ticks": num_ticks,
            "values": {
                "images/high": np.stack([picture("cam_high", n + 7 * seed) for n in range(num_ticks)]),
                "images/wrist": np.stack([picture("cam_wrist", n + 5 * seed) for n in range(num_ticks)]),
                "depth/high": np.stack([depth_picture(n + seed) for n in range(num_ticks)]),
                "state": joint_position(time_s + seed).astype(np.float32),
                "action": joint_command(time_s + seed),
            },
            "valid": {name: rng.random(num_ticks) > 0.15 for name in ("images/wrist", "depth/high", "state", "action")},
            "skew_ns": {"images/wrist": rng.integers(-9_000_000, 9_000_000, num_ticks)},
            **changes,
        }
    )


@pytest.fixture
def make_episode() -> Callable[..., PublishedEpisode]:
    return _episode


@pytest.fixture(scope="session")
def dataset(tmp_path_factory) -> Dataset:
    """Lengths of 1, 9 and 40 ticks, and one of 150, which has a second shard."""
    made = Dataset(tmp_path_factory.mktemp("training") / "dataset")
    for seed, (name, num_ticks) in enumerate([("one", 1), ("nine", 9), ("forty", 40), ("long", 150)]):
        publish_episode(made, _episode(name, num_ticks, seed=seed, robot="arm" if seed % 2 else "leg"))
    make_snapshot(made)
    return made


@pytest.fixture
def empty(tmp_path: Path) -> Dataset:
    return Dataset(tmp_path / "dataset")
