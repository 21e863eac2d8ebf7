"""Reports of many shapes, and published episodes of the smallest kind."""

from collections.abc import Callable

import numpy as np
import pytest

from bagmill.dataset import Dataset, EpisodeReport, FeatureReport, StageReport, save_report
from bagmill.episodes import EpisodeWriter
from bagmill.quality.metric import CheckResult, Measurement

NOW_NS = 1_700_000_000_000_000_000


def _check(name: str = "skew", *values: float, failed: tuple[str, ...] = (), severity: str = "error") -> CheckResult:
    return CheckResult(
        name=name,
        stage="timeline",
        unit="ms",
        direction="lower",
        threshold=20.0,
        severity=severity,
        description="How far messages lie from their ticks.",
        measurements=tuple(Measurement(f"feature{n}", value, "") for n, value in enumerate(values)),
        failed_subjects=failed,
    )


def _report(
    episode: str = "run1.mcap", version: str = "a1", *checks: CheckResult, requested_ns: int = NOW_NS, **fields: object
) -> EpisodeReport:
    return EpisodeReport(
        **{
            "episode": episode,
            "version": version,
            "recording_path": f"/recordings/{episode}",
            "profile": "arm",
            "requested_ns": requested_ns,
            "recording_hash": "xxh3_128:" + "0" * 32,
            "container": "mcap",
            "task": "pick up the cup",
            "robot": "arm7",
            "rate_hz": "30000/1001",
            "num_ticks": 300,
            "start_ns": NOW_NS,
            "duration_ns": 9_976_633_333,
            "num_frames": 600,
            "raw_bytes": 4_000_000,
            "stored_bytes": 1_000_000,
            "features": (FeatureReport("images/left", "image", (48, 64, 3), "uint8", "/camera"),),
            "stages": (
                StageReport("recording", 0.5, {"num_messages": 600}, ()),
                StageReport("timeline", 0.25, {"skew_p99_ms": 1.5}, checks),
                StageReport("episode", 1.25, {}, ()),
            ),
            **fields,
        }
    )


@pytest.fixture
def make_check() -> Callable[..., CheckResult]:
    return _check


@pytest.fixture
def make_report() -> Callable[..., EpisodeReport]:
    return _report


@pytest.fixture
def dataset(tmp_path) -> Dataset:
    return Dataset(tmp_path / "dataset")


@pytest.fixture
def publish(dataset: Dataset) -> Callable[[EpisodeReport], EpisodeReport]:
    """Publishes an episode of two ticks and no feature for a report, and saves the report."""

    def put(report: EpisodeReport) -> EpisodeReport:
        with EpisodeWriter(dataset.path, report.episode, report.version) as writer:
            writer.put_array("time", np.array([0, 1], np.int64))
            writer.publish({})
        save_report(dataset, report)
        return report

    return put
