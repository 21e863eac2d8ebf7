"""A process that reads what `latest` names, again and again, as training does."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import numpy as np

from bagmill.dataset import Dataset, load_snapshot
from bagmill.episodes import Episode
from bagmill.errors import BagmillError
from bagmill.training import EpisodeDataset


def read_on(dataset: Path, stop: Any, told: Path) -> None:
    """Read until `stop` is set, then write down how often, and everything that could not be read.

    Args:
        dataset: The dataset's folder.
        stop: An event.
        told: A JSON file: `num_reads`, `problems`.
    """
    num_reads, problems = 0, []
    while not stop.is_set():
        try:
            _read(Dataset(dataset))
            num_reads += 1
        except Exception as err:  # noqa: BLE001 - whatever it is, it is told
            problems.append(f"{type(err).__name__}: {err}")
            time.sleep(0.1)
    told.write_text(json.dumps({"num_reads": num_reads, "problems": problems}), encoding="utf-8")


def _read(dataset: Dataset) -> None:
    """Everything in `latest` once.

    Raises:
        BagmillError: Something of it cannot be read, though it is in `latest` still.
    """
    table = load_snapshot(dataset)
    try:
        for path in table["path"]:
            episode = Episode.open(dataset.path / path)
            assert np.isfinite(episode.signal("state")).any()
            for name in ("images/cam_high", "depth/cam_high"):
                episode.frame(name, episode.num_ticks // 2)
        samples = EpisodeDataset(dataset, features=["images/cam_wrist", "state"], num_threads=1)
        for place in (0, len(samples) // 2, len(samples) - 1):
            samples[place]
    except BagmillError:
        # What is no longer in `latest` may have been pruned meanwhile.
        if set(load_snapshot(dataset)["path"]) & set(table["path"]) == set(table["path"]):
            raise
