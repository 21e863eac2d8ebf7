"""What a contender answers when it is asked for a case: a rate, or what its pixels are.

Imported in LeRobot's environment, too: nothing of bagmill here.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.loader.cases import Case, Timelines
from benchmarks.loader.clock import drop_from_cache, time_calls, time_iteration
from benchmarks.standing import Answers

AHEAD: Final = 2
"""Batches that each worker makes before they are asked for: torch's default, and bagmill's."""
_COLD_BATCHES: Final = 8
"""Few enough that hardly any of their frames lies beside one that was read."""
Load = Callable[[NDArray[np.int64]], Mapping[str, Any]]
"""Gives a batch: for every camera an array (B, …)."""


def answers(folder: Path, open_case: Callable[[Case], Load]) -> Answers:
    """The answers of a contender that loads a batch when it is asked for one.

    Args:
        folder: Of all stores.
        open_case: Called once for every case; it gives the function that is measured.
    """
    timelines = load_timelines(folder)
    opened: dict[str, Load] = {}
    drop: list[Callable[[], None]] = []

    def answer(
        case: Mapping[str, Any], seed: int, seconds: float, is_cold: bool = False, is_compared: bool = False
    ) -> Mapping[str, Any]:
        asked = Case.from_json(case)
        if asked.name not in opened:
            opened[asked.name] = open_case(asked)
        load = opened[asked.name]
        batches = timelines.draw(seed=seed, batch_size=asked.batch_size)
        if is_compared:
            return {"digests": digests(load(next(batches)), asked)}
        if is_cold and not drop:
            drop.append(drop_from_cache(folder))
        return time_calls(load, batches, seconds=seconds, before=drop[0] if is_cold else None)

    return answer


def loader_answers(folder: Path, open_case: Callable[[Case, int, int], tuple[Iterator[object], int]]) -> Answers:
    """The answers of a contender that gives batches by itself.

    Args:
        folder: Of all stores.
        open_case: Case, workers and seed → batches without end, and how many may be made before they are asked for.
    """
    drop: list[Callable[[], None]] = []

    def answer(
        case: Mapping[str, Any], num_workers: int, seed: int, seconds: float, is_cold: bool = False
    ) -> Mapping[str, Any]:
        asked = Case.from_json(case)
        if is_cold:
            if not drop:
                drop.append(drop_from_cache(folder))
            drop[0]()
        batches, ahead = open_case(asked, num_workers, seed)
        return time_iteration(
            batches,
            batch_size=asked.batch_size,
            seconds=seconds,
            ahead=ahead,
            most=_COLD_BATCHES if is_cold else None,
        )

    return answer


def digests(batch: Mapping[str, Any], case: Case) -> dict[str, str]:
    """Of every camera's pixels in a batch, channels last."""
    return {
        camera: hashlib.sha256(np.ascontiguousarray(batch[camera]).tobytes()).hexdigest()[:16]
        for camera in case.cameras
    }


def load_timelines(folder: Path) -> Timelines:
    """Of the episodes that lie in a folder of stores."""
    return Timelines(json.loads((folder / "plan.json").read_text(encoding="ascii"))["num_ticks"])
