"""How long it takes from a Python that has loaded nothing to the first batch of a large snapshot."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

_BATCH_SIZE = 64
_SEED = 3


def prepare(folder: str, has_torch: bool) -> Callable[[], dict[str, Any]]:
    """Open the dataset and load one batch of random samples, and another one through `make_loader` where there is torch."""
    if has_torch:
        # Seconds that every contender has.
        import torch  # noqa: F401, PLC0415

    def run() -> dict[str, Any]:
        started = time.perf_counter()
        import numpy as np  # noqa: PLC0415 - what is measured

        from bagmill.training import EpisodeDataset  # noqa: PLC0415 - likewise

        imported = time.perf_counter()
        dataset = EpisodeDataset(folder)
        opened = time.perf_counter()
        dataset.batch(np.random.default_rng(_SEED).integers(0, len(dataset), _BATCH_SIZE))
        loaded = time.perf_counter()
        found = {
            "num_episodes": dataset.num_episodes,
            "import_s": imported - started,
            "open_s": opened - imported,
            "batch_s": loaded - opened,
            "loader_s": None,
        }
        if has_torch:
            from bagmill.training.torch import make_loader  # noqa: PLC0415 - likewise

            began = time.perf_counter()
            next(iter(make_loader(EpisodeDataset(folder), batch_size=_BATCH_SIZE, seed=_SEED)))
            found["loader_s"] = time.perf_counter() - began
        return found

    return run
