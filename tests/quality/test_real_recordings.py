"""What the metrics say of recordings that others made."""

from pathlib import Path
from typing import Any

import pytest

from bagmill.profile import parse_profile
from bagmill.quality import CheckResult, RecordingEvidence, judge
from bagmill.streams import scan


def checks_of(path: Path, *, clock: str, features: dict[str, Any]) -> dict[str, CheckResult]:
    profile = parse_profile({"name": "real", "clock": clock, "rate_hz": 30, "features": features})
    results = judge("recording", RecordingEvidence(profile, scan(path)), profile)
    return {result.name: result for result in results}


def test_a_camera_whose_bag_time_begins_near_zero(recordings_dir: Path) -> None:
    results = checks_of(
        recordings_dir / "realsense_d4xx.bag",
        clock="header",
        features={
            "images/colour": {"channel": "/device_0/sensor_1/Color_0/image/data", "expected_rate_hz": 30},
            "depth/camera": {"channel": "/device_0/sensor_0/Depth_0/image/data", "expected_rate_hz": 30},
        },
    )
    assert {m.value for m in results["required_channels"].measurements} == {5, 6}
    assert results["rates"].is_passed
    clocks = results["clocks_agree"]
    assert len(clocks.failed_subjects) == 2
    assert not clocks.is_blocking
    assert clocks.worst == pytest.approx(1747141385135, abs=1)  # ms: half a century
    assert "does not tell the date" in clocks.measurements[0].note


def test_rates_of_a_husky(recordings_dir: Path) -> None:
    results = checks_of(
        recordings_dir / "husky_imu_odom_gps.bag",
        clock="header",
        features={
            "imu": {"channel": "/imu/data", "field": "linear_acceleration", "expected_rate_hz": 30},
            "odom": {
                "channel": "/husky_velocity_controller/odom",
                "field": "pose.pose.position",
                "expected_rate_hz": 20,  # it runs at 10
            },
            "fix": {"channel": "/fix", "field": "latitude"},
        },
    )
    assert results["rates"].failed_subjects == ("/husky_velocity_controller/odom",)
    assert results["rates"].worst == pytest.approx(50, abs=0.1)
    assert "2.50 Hz" in results["rates"].measurements[2].note
    assert results["clocks_agree"].is_passed
    assert results["stamps_monotonic"].is_passed
