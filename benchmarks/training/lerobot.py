"""Torch's `DataLoader` over `LeRobotDataset`; runs in LeRobot's own environment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from torch.utils.data import DataLoader

from benchmarks.loader.cases import ACTION, LEFT, STATE
from benchmarks.loader.lerobot import KEYS, open_dataset
from benchmarks.standing import Answers
from benchmarks.training.loop import Inputs, training_answers
from benchmarks.training.order import read_order
from benchmarks.training.policies import Policy


def prepare(folder: str, num_threads: int, backend: str, has_films: bool) -> Answers:
    """LeRobot's samples under torch's loader.

    Args:
        folder: Of all stores.
        num_threads: That compute.
        backend: That decodes.
        has_films: Whether a policy without pictures leaves a camera in the dataset, as it is when it is opened.
    """

    def open_loader(policy: Policy, num_workers: int) -> Iterator[Any]:
        stores = Path(folder)
        kept = (LEFT,) if has_films else policy.case.cameras
        loader: DataLoader[Any] = DataLoader(
            open_dataset(stores, policy.case, backend, kept=kept),
            batch_sampler=read_order(stores, policy.name),
            num_workers=num_workers,
        )
        return iter(loader)

    def to_inputs(batch: Any) -> Inputs:
        return Inputs(batch.get(KEYS[LEFT]), batch[KEYS[STATE]], batch[KEYS[ACTION]])

    return training_answers(open_loader, to_inputs, num_threads=num_threads)
