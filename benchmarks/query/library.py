"""Snapshots of many episodes that were never recorded: reports' summaries with plausible numbers, and the table they become."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np

from bagmill.dataset import LATEST, Dataset, FeatureReport
from bagmill.dataset.report_summary import ReportSummary
from bagmill.dataset.snapshot_file import put_table
from bagmill.dataset.snapshot_names import point
from bagmill.dataset.snapshot_table import snapshot_table
from bagmill.quality import METRICS

DAY_NS: Final = 86_400_000_000_000
START_NS: Final = 1_767_225_600_000_000_000
"""2026-01-01."""
_TASKS: Final = ("pick", "place", "open the drawer", "pour", "fold the towel")
_JOINTS: Final[dict[str, Any]] = {
    "names": tuple(f"{side}_joint_{number}" for side in ("left", "right") for number in range(7)),
    "named": (True,) * 14,
    "units": ("rad",) * 14,
}
_FEATURES: Final = (
    FeatureReport("images/left", "image", (480, 640, 3), "uint8", "/camera_left/image_raw"),
    FeatureReport("images/wrist", "image", (480, 640, 3), "uint8", "/camera_wrist/image_raw"),
    FeatureReport("depth/wrist", "depth", (480, 640), "uint16", "/camera_wrist/depth", scale_m=0.001),
    FeatureReport("state", "signal", (14,), "float64", "/joint_states", **_JOINTS),
    FeatureReport("action", "signal", (14,), "float64", "/commands", **_JOINTS),
)


def make_library(folder: Path, num_episodes: int) -> Dataset:
    """A dataset with nothing in it but a snapshot, called `latest`."""
    dataset = Dataset(folder)
    snapshot_id, _, _ = put_table(dataset, snapshot_table(dataset, list(_summaries(num_episodes))))
    point(dataset, LATEST, snapshot_id=snapshot_id)
    return dataset


def _summaries(num_episodes: int) -> Iterator[ReportSummary]:
    """Two hundred episodes a day, of nine robots; a tenth of the numbers of each metric was not measured."""
    rng = np.random.default_rng(0)
    names = list(METRICS)
    values = rng.gamma(2, 3, (num_episodes, len(names)))
    values[rng.random(values.shape) < 0.1] = np.nan
    values[:, names.index("tick_coverage")] = 100 - rng.gamma(2, 0.3, num_episodes)
    values[:, names.index("skew")] = rng.normal(8, 2, num_episodes)
    num_ticks = rng.integers(100, 1_500, num_episodes)
    kinds = rng.integers(0, 45, num_episodes)
    for n in range(num_episodes):
        episode = f"site_{kinds[n] % 3}__day_{n // 200:04d}__run_{n:06d}.mcap"
        yield ReportSummary(
            episode=episode,
            version=f"{n:016x}",
            recording_path=f"/recordings/{episode.replace('__', '/')}",
            recording_hash=f"xxh3_128:{n:032x}",
            container="mcap",
            profile=f"robot_{kinds[n] % 3}",
            requested_ns=START_NS,
            task=_TASKS[kinds[n] % 5],
            robot=f"arm_{kinds[n] % 9}",
            rate_hz="30",
            num_ticks=int(num_ticks[n]),
            start_ns=START_NS + n * DAY_NS // 200,
            duration_ns=int(num_ticks[n]) * 33_333_333,
            num_frames=3 * int(num_ticks[n]),
            raw_bytes=int(num_ticks[n]) * 900_000,
            stored_bytes=int(num_ticks[n]) * 90_000,
            features=_FEATURES,
            quality={name: float(value) for name, value in zip(names, values[n], strict=True) if not np.isnan(value)},
            failed_checks=(),
            is_blocked=False,
        )
