"""Which samples each step has: bagmill's order, written down for all others.

Imported in LeRobot's environment, too: nothing of bagmill here.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path


def write_order(folder: Path, policy: str, batches: Iterable[list[int]]) -> None:
    """Write down the samples of every step of a policy's training."""
    _path(folder, policy).write_text(json.dumps([*batches]), encoding="ascii")


def read_order(folder: Path, policy: str) -> list[list[int]]:
    """What `write_order` wrote."""
    batches: list[list[int]] = json.loads(_path(folder, policy).read_text(encoding="ascii"))
    return batches


def _path(folder: Path, policy: str) -> Path:
    return folder / f"order-{policy}.json"
