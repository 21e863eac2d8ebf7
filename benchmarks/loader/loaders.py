"""The contenders that give tensors, as their users call them: bagmill's loader, and torch's `DataLoader` over the readers."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from torch.utils.data import DataLoader

from bagmill.training.torch import Images, make_loader
from benchmarks.loader.arrays import open_dataset
from benchmarks.loader.asked import AHEAD, load_timelines, loader_answers
from benchmarks.loader.cases import Case
from benchmarks.loader.readers import Reader
from benchmarks.standing import Answers

_EPOCHS_BEFORE = 4
"""Until each of two workers has decoded nearly every frame that it keeps."""


def prepare_bagmill(folder: str, images: Images, frame_cache_bytes: int | None = 0) -> Answers:
    """`make_loader` in its own random order, epoch after epoch.

    Args:
        folder: Of all stores.
        images: As of `make_loader`.
        frame_cache_bytes: As of `EpisodeDataset`; what is kept has been decoded before anything is measured.
    """

    def open_case(case: Case, num_workers: int, seed: int) -> tuple[Iterator[object], int]:
        loader = make_loader(
            open_dataset(Path(folder), case, frame_cache_bytes=frame_cache_bytes),
            batch_size=case.batch_size,
            seed=seed,
            num_workers=num_workers,
            prefetch=AHEAD,
            images=images,
        )

        def batches() -> Iterator[object]:
            while True:
                yield from loader

        before = _EPOCHS_BEFORE * len(loader) if frame_cache_bytes != 0 else 0
        return batches(), before + AHEAD * max(1, num_workers)

    return loader_answers(Path(folder), open_case)


def prepare_reader(kind: str, folder: str) -> Answers:
    """The loader of torch, with its own way of putting samples together."""
    stores = Path(folder)

    def open_case(case: Case, num_workers: int, seed: int) -> tuple[Iterator[object], int]:
        samples = load_timelines(stores).draw(seed=seed, batch_size=case.batch_size)
        loader: DataLoader[Any] = DataLoader(
            Reader(kind, stores, case),  # type: ignore[arg-type]  # it has what a map-style dataset needs
            batch_sampler=map(np.ndarray.tolist, samples),
            num_workers=num_workers,
        )
        return iter(loader), AHEAD * num_workers

    return loader_answers(stores, open_case)
