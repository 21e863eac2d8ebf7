"""From nothing to an answer, in a process that has just begun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any


def prepare(dataset: str, where: str) -> Callable[[], dict[str, Any]]:
    """Import, open, ask: all of it is measured."""

    def run() -> dict[str, Any]:
        from bagmill.dataset import Dataset, load_snapshot, select  # noqa: PLC0415 - imports are a part of it

        return {"num_rows": len(select(load_snapshot(Dataset(Path(dataset))), where))}

    return run
