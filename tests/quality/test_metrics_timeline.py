"""Metrics of stage `timeline`: an input that passes, one that fails, and the number."""

import math
from typing import Any

import numpy as np
import pytest

from bagmill.quality import CheckResult, Measurement, judge

MS = 1_000_000


def check(robot: Any, name: str) -> CheckResult:
    [result] = [r for r in judge("timeline", robot.timeline_evidence(), robot.profile) if r.name == name]
    return result


def of(result: CheckResult, subject: str) -> Measurement:
    [measurement] = [m for m in result.measurements if m.subject == subject]
    return measurement


def test_skew_is_the_99th_percentile_in_ms(robot: Any) -> None:
    result = check(robot, "skew")
    assert result.is_passed
    assert result.worst == 0
    # Depth is late by up to 60 ms, which its tolerance allows.
    late = np.linspace(0, 60 * MS, 41).astype(np.int64)
    robot.header_ns["/depth"] = np.concatenate([robot.header_ns["/depth"] + late, robot.header_ns["/depth"][:1]])
    robot.header_ns["/depth"] = robot.header_ns["/depth"][np.arange(42) % 2 == 1]
    robot.profile_content["features"]["depth/wrist"] = {"channel": "/depth", "rule": "latest", "tolerance_ms": 500}
    result = check(robot, "skew")
    timeline = robot.timeline
    skew_ms = sorted(abs(timeline.skew_ns("depth/wrist")[timeline.features["depth/wrist"].is_valid]) / MS)
    rank = 0.99 * (len(skew_ms) - 1)
    below, share = int(rank), rank - int(rank)
    wanted = skew_ms[below] + share * (skew_ms[below + 1] - skew_ms[below])
    assert result.failed_subjects == ("depth/wrist",)
    assert not result.is_blocking
    assert of(result, "depth/wrist").value == pytest.approx(wanted)
    assert wanted > 50


def test_skew_of_interpolated_values_is_told_not_judged(robot: Any) -> None:
    robot.header_ns["/joints"] = robot.header_ns["/joints"][::16] + 3 * MS
    robot.profile_content["features"]["state"] = {
        **robot.profile_content["features"]["state"],
        "tolerance_ms": 200,
        "expected_rate_hz": None,
    }
    result = check(robot, "skew")
    assert of(result, "state").value > 50
    assert not of(result, "state").is_judged
    assert result.is_passed


def test_tick_coverage_in_percent_with_the_longest_hole(robot: Any) -> None:
    result = check(robot, "tick_coverage")
    assert result.is_passed
    assert {m.subject: m.value for m in result.measurements} == {
        "images/wrist": 100.0,
        "depth/wrist": 100.0,
        "state": 100.0,
        "action": 100.0,
    }
    # Frames 10 to 14 and 30 are lost: of those ticks, 11, 12 and 13 have no frame within 50 ms.
    robot.header_ns["/wrist"] = np.delete(robot.header_ns["/wrist"], [10, 11, 12, 13, 14, 30])
    result = check(robot, "tick_coverage")
    assert result.failed_subjects == ("images/wrist",)
    assert result.is_blocking
    assert of(result, "images/wrist").value == pytest.approx(100 * 38 / 41)
    assert of(result, "images/wrist").note == (
        "3 of 41 ticks without a message; at most 3 in a row, 0.55 s from the start; "
        "messages 50.0 ms apart (median), tolerance 50 ms"
    )


def test_coverage_of_optional_features_is_not_judged(robot: Any) -> None:
    robot.header_ns["/commands"] = robot.header_ns["/commands"][:1]
    result = check(robot, "tick_coverage")
    action = of(result, "action")
    assert action.value == pytest.approx(100 * 2 / 41)  # the ticks at 0 and 50 ms
    assert not action.is_judged
    assert action.note.startswith("optional; 39 of 41 ticks")
    assert result.is_passed


def test_a_feature_without_a_valid_tick_has_no_skew(robot: Any) -> None:
    robot.header_ns["/commands"] = robot.header_ns["/commands"][:1] - 10**12
    assert math.isnan(of(check(robot, "skew"), "action").value)
    assert of(check(robot, "tick_coverage"), "action").value == 0
