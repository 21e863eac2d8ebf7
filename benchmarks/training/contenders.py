"""bagmill's loader, and torch's over the readers: each `prepare` runs in its process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch.utils.data import DataLoader

from bagmill.training.order import Order, ShuffledBatches
from bagmill.training.torch import make_loader
from benchmarks.loader.arrays import open_dataset
from benchmarks.loader.cases import ACTION, LEFT, STATE
from benchmarks.loader.readers import Reader
from benchmarks.standing import Answers
from benchmarks.training.loop import Inputs, training_answers
from benchmarks.training.order import read_order, write_order
from benchmarks.training.policies import Policy

SEED: Final = 11


def write_orders(folder: Path, policies: Sequence[Policy]) -> None:
    """Write down bagmill's order of each policy's batches, epoch after epoch, one for the step before the clock."""
    for policy in policies:
        dataset = open_dataset(folder, policy.case)
        order = Order(len(dataset), seed=SEED, snapshot=dataset.snapshot_id)
        batches = ShuffledBatches(order, batch_size=policy.batch_size)
        steps: list[list[int]] = []
        while len(steps) <= policy.num_steps:
            steps += [[*batch] for batch in batches]
        write_order(folder, policy.name, steps[: policy.num_steps + 1])


def prepare_bagmill(folder: str, num_threads: int, frame_cache_bytes: int | None) -> Answers:
    """`make_loader`, in the order that its seed gives.

    Args:
        folder: Of all stores.
        num_threads: That decode and compute.
        frame_cache_bytes: As of `EpisodeDataset`.
    """

    def open_loader(policy: Policy, num_workers: int) -> Iterator[Any]:
        dataset = open_dataset(Path(folder), policy.case, frame_cache_bytes=frame_cache_bytes)
        loader = make_loader(dataset, batch_size=policy.batch_size, seed=SEED, num_workers=num_workers)
        expected = iter(read_order(Path(folder), policy.name))
        while True:
            for batch in loader:
                positions = dataset.locate(next(expected))
                if not torch.equal(batch["tick"], torch.from_numpy(positions[1])):
                    raise RuntimeError("bagmill's loader has another order than was written down")
                yield batch

    def to_inputs(batch: Any) -> Inputs:
        return Inputs(batch.get(LEFT), batch[STATE], batch[ACTION])

    return training_answers(open_loader, to_inputs, num_threads=num_threads)


def prepare_reader(kind: str, folder: str, num_threads: int) -> Answers:
    """The `DataLoader` of torch over one of `readers.KINDS`."""

    def open_loader(policy: Policy, num_workers: int) -> Iterator[Any]:
        reader = Reader(kind, Path(folder), policy.case)
        loader: DataLoader[Any] = DataLoader(
            reader,  # type: ignore[arg-type]  # it has what a map-style dataset needs
            batch_sampler=read_order(Path(folder), policy.name),
            num_workers=num_workers,
        )
        return iter(loader)

    def to_inputs(batch: Any) -> Inputs:
        pictures = batch.get(LEFT)
        return Inputs(None if pictures is None else pictures.movedim(-1, -3), batch[STATE], batch[ACTION])

    return training_answers(open_loader, to_inputs, num_threads=num_threads)
