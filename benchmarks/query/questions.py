"""What is asked of a snapshot, in three ways that have to agree."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

import pandas as pd


@dataclass(frozen=True, slots=True)
class Question:
    """A condition."""

    name: str
    where: str
    """As `select` takes it."""
    pandas_where: str
    """As `DataFrame.query` takes it."""
    mask: Callable[[pd.DataFrame], Any]
    """By hand."""


QUESTIONS: Final = (
    Question("a number", "num_frames > 4000", "num_frames > 4000", lambda t: t["num_frames"] > 4000),
    Question(
        "a text and a number",
        "num_frames > 600 and task == 'pick'",
        "num_frames > 600 and task == 'pick'",
        lambda t: (t["num_frames"] > 600) & (t["task"] == "pick"),
    ),
    Question(
        "quality",
        "quality.skew < 8 and quality.tick_coverage > 99.5",
        "`quality.skew` < 8 and `quality.tick_coverage` > 99.5",
        lambda t: (t["quality.skew"] < 8) & (t["quality.tick_coverage"] > 99.5),
    ),
    Question(
        "robots and a date",
        "robot in ['arm_1', 'arm_2'] and start >= '2026-01-02'",
        "robot in ['arm_1', 'arm_2'] and start_ns >= 1767312000000000000",
        lambda t: t["robot"].isin(["arm_1", "arm_2"]) & (t["start_ns"] >= 1_767_312_000_000_000_000),
    ),
    Question(
        "a part of a text",
        "task.str.contains('drawer', regex=False)",
        "task.str.contains('drawer', regex=False)",
        lambda t: t["task"].str.contains("drawer", regex=False),
    ),
    Question(
        "nearly all",
        "quality.skew < 12 and num_ticks > 100",
        "`quality.skew` < 12 and num_ticks > 100",
        lambda t: (t["quality.skew"] < 12) & (t["num_ticks"] > 100),
    ),
)
