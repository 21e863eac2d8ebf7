"""Thresholds and severities as a profile has them."""

from typing import Any

import pytest

from bagmill.errors import ProfileError
from bagmill.quality import METRICS, STAGES, Metric, PreviewEvidence, judge, resolve_checks

GOOD = PreviewEvidence(num_ticks=50, num_frames_decoded=50, psnr_db=[31.0, 29.5])
BAD = PreviewEvidence(num_ticks=50, num_frames_decoded=48, psnr_db=[31.0, 12.0])


@pytest.mark.parametrize("name", list(METRICS))
def test_every_metric_says_what_it_is(name: str) -> None:
    metric: Metric = METRICS[name]
    assert metric.name == name
    assert metric.stage in STAGES
    assert metric.direction in ("higher", "lower")
    assert metric.unit
    assert metric.description.endswith(".")
    assert "A failure means" in metric.description


def test_defaults_are_the_metrics_own(robot: Any) -> None:
    checks = resolve_checks(robot.profile)
    assert list(checks) == list(METRICS)
    assert (checks["preview_psnr"].threshold, checks["preview_psnr"].severity) == (20.0, "warn")


def test_a_profile_sets_threshold_and_severity(robot: Any) -> None:
    robot.profile_content["checks"] = {"preview_psnr": {"threshold": 30}, "preview_frames": {"severity": "error"}}
    frames, psnr = judge("preview", BAD, robot.profile)
    assert (frames.name, frames.threshold, frames.severity) == ("preview_frames", 0.0, "error")
    assert frames.is_blocking
    assert (psnr.name, psnr.threshold, psnr.severity) == ("preview_psnr", 30.0, "warn")
    assert psnr.failed_subjects == ("preview",)
    assert not psnr.is_blocking


def test_off_is_not_measured(robot: Any) -> None:
    robot.profile_content["checks"] = {"preview_psnr": {"severity": "off"}}
    assert [result.name for result in judge("preview", BAD, robot.profile)] == ["preview_frames"]
    assert "preview_psnr" not in resolve_checks(robot.profile)


def test_a_metric_without_a_subject_gives_no_result(robot: Any) -> None:
    unsampled = PreviewEvidence(num_ticks=5, num_frames_decoded=5, psnr_db=[])
    assert [result.name for result in judge("preview", unsampled, robot.profile)] == ["preview_frames"]


def test_the_threshold_itself_passes_on_both_sides(robot: Any) -> None:
    checks = resolve_checks(robot.profile)
    assert not checks["preview_psnr"].is_failed_by(20.0)
    assert checks["preview_psnr"].is_failed_by(19.999)
    assert not checks["skew"].is_failed_by(50.0)
    assert checks["skew"].is_failed_by(50.001)
    assert not checks["skew"].is_failed_by(float("nan"))


def test_results_carry_what_the_web_ui_shows(robot: Any) -> None:
    frames, psnr = judge("preview", GOOD, robot.profile)
    assert frames.is_passed
    assert psnr.is_passed
    assert (psnr.stage, psnr.unit, psnr.direction, psnr.worst) == ("preview", "dB", "higher", 29.5)
    assert psnr.description == METRICS["preview_psnr"].description


def test_all_unknown_checks_are_named_with_their_place(robot: Any) -> None:
    robot.profile_content["checks"] = {"skeww": {"threshold": 1}, "gaps": {"threshold": 1}, "psnr": {}}
    with pytest.raises(ProfileError) as caught:
        resolve_checks(robot.profile)
    assert caught.value.problems == (
        "no check is called `skeww` @ $.checks.skeww",
        "no check is called `psnr` @ $.checks.psnr",
    )
    assert "jpeg_psnr" in str(caught.value)


def test_a_robot_in_order_passes_every_check(robot: Any) -> None:
    robot.profile_content["salvage"] = True  # without, nothing is measured of what is salvaged
    results = [
        *judge("recording", robot.recording_evidence(), robot.profile),
        *judge("timeline", robot.timeline_evidence(), robot.profile),
        *judge("episode", robot.episode_evidence(), robot.profile),
        *judge("preview", GOOD, robot.profile),
    ]
    assert [result.name for result in results] == list(METRICS)
    assert [result.name for result in results if not result.is_passed] == []
