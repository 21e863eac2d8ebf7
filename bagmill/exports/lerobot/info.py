"""The files of a LeRobot data set that describe it: features, counts, tasks, statistics."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from bagmill.exports.lerobot import layout
from bagmill.exports.lerobot.statistics import Statistics, aggregate, plain_statistics
from bagmill.exports.lerobot.tables import write_tasks
from bagmill.exports.targets import Target


@dataclass(slots=True)
class DatasetInfo:
    """What is known of a data set when its last episode is written."""

    targets: Sequence[Target]
    rate_hz: Fraction
    robot: str | None
    has_masks: bool
    max_data_mb: int
    max_video_mb: int
    tasks: dict[str, int] = field(default_factory=dict)
    """Task → its number, in the order of first use."""
    splits: dict[str, list[int]] = field(default_factory=dict)
    """Split → its episodes, one after the other."""
    statistics: dict[str, list[Statistics]] = field(default_factory=dict)
    """Feature → an episode's statistics after the other's."""


def write_info(folder: Path, info: DatasetInfo, *, num_episodes: int, num_ticks: int) -> None:
    """Write info.json, stats.json and the tasks.

    Args:
        folder: The data set's.
        info: What is known of it.
        num_episodes: All of them.
        num_ticks: Of all of them.

    Raises:
        OSError: The disk does not take it.
    """
    write_tasks(folder / layout.TASKS, list(info.tasks))
    statistics = {key: plain_statistics(aggregate(episodes)) for key, episodes in info.statistics.items()}
    _write_json(folder / layout.STATS, statistics)
    has_films = any(target.features[0].kind == "image" for target in info.targets)
    content = {
        "codebase_version": layout.VERSION,
        "robot_type": info.robot,
        "total_episodes": num_episodes,
        "total_frames": num_ticks,
        "total_tasks": len(info.tasks),
        "chunks_size": layout.FILES_A_CHUNK,
        "data_files_size_in_mb": info.max_data_mb,
        "video_files_size_in_mb": info.max_video_mb,
        "fps": _plain_rate(info.rate_hz),
        "splits": {name: f"{episodes[0]}:{episodes[-1] + 1}" for name, episodes in info.splits.items()},
        "data_path": layout.DATA,
        "video_path": layout.VIDEO if has_films else None,
        "features": _features(info),
    }
    _write_json(folder / layout.INFO, content)


def _features(info: DatasetInfo) -> dict[str, Any]:
    described: dict[str, Any] = {}
    for target in info.targets:
        if target.features[0].kind == "image":
            shape = target.features[0].shape
            described[target.name] = layout.describe_picture(shape, fps=_plain_rate(info.rate_hz))
        else:
            described[target.name] = layout.describe_values("float32", target.width, target.column_names)
    if info.has_masks:
        names = [target.name for target in info.targets]
        described[layout.VALID] = layout.describe_values("bool", len(names), names)
    return described | {key: layout.describe_values(dtype, 1, None) for key, dtype in layout.PER_TICK.items()}


def _plain_rate(rate_hz: Fraction) -> int | float:
    """30, or 29.97…: LeRobot's own data sets have whole numbers here."""
    return int(rate_hz) if rate_hz.denominator == 1 else float(rate_hz)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content, indent=4, ensure_ascii=False), encoding="utf-8")
