"""A snapshot of very many episodes: a few that are published, and links to them under other names."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from bagmill.dataset import Dataset, load_snapshot, make_snapshot
from bagmill.dataset.snapshot_file import put_table
from bagmill.dataset.snapshot_names import LATEST, point
from bagmill.testing.published import PublishedEpisode, publish_episode
from benchmarks.loader.cases import ACTION, LEFT, STATE
from benchmarks.loader.scenes import SCENES, SceneFrames

NUM_PUBLISHED: Final = 50
_NUM_TICKS: Final = 60


def write_many(folder: Path, num_episodes: int) -> Dataset:
    """Write a dataset whose snapshot `latest` has so many episodes of 60 ticks, 96×96, state and action.

    Args:
        folder: An empty one.
        num_episodes: Rows of the snapshot.
    """
    dataset = Dataset(folder)
    num_published = min(NUM_PUBLISHED, num_episodes)
    frames = SceneFrames(SCENES[-1], [_NUM_TICKS] * num_published)
    for number in range(num_published):
        values: dict[str, NDArray[Any]] = {LEFT: frames.images(LEFT, number)}
        values |= {STATE: frames.state(number), ACTION: frames.action(number)}
        publish_episode(dataset, PublishedEpisode(name=f"{number:05d}", num_ticks=_NUM_TICKS, values=values))
    make_snapshot(dataset)
    table = load_snapshot(dataset)
    places = np.arange(num_episodes) % num_published
    many = table.iloc[places].reset_index(drop=True)
    names = [f"{number:05d}" for number in range(num_episodes)]
    many["episode"] = names
    many["path"] = [
        dataset.episode_path(name, version).relative_to(dataset.path).as_posix()
        for name, version in zip(names, many["version"], strict=True)
    ]
    for name, path in zip(names[num_published:], table["path"].iloc[places[num_published:]], strict=True):
        # A folder of its own, so that its files are found by names of their own; what they hold lies there once.
        (dataset.episodes_dir / name).symlink_to(dataset.path / Path(path).parent)
    snapshot_id, _, _ = put_table(dataset, pa.Table.from_pandas(pd.DataFrame(many), preserve_index=False))
    point(dataset, LATEST, snapshot_id=snapshot_id)
    return dataset
