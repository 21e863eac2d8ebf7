"""Metrics of stage `timeline`: an input that passes, one that fails, and the number."""

import math
from typing import Any

import numpy as np
import pytest

from bagmill.quality import CheckResult, Measurement, judge

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000


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


def test_clock_steps_are_counted_with_place_and_remedy(robot: Any) -> None:
    result = check(robot, "clock_steps")
    assert result.is_passed
    assert {m.subject: m.value for m in result.measurements} == {
        "images/wrist": 0,
        "depth/wrist": 0,
        "state": 0,
        "action": 0,
    }
    joints = robot.header_ns["/joints"].copy()
    robot.log_ns["/joints"] = joints + 8 * MS
    joints[100:] -= 503 * MS
    robot.header_ns["/joints"] = joints
    result = check(robot, "clock_steps")
    assert result.failed_subjects == ("state",)
    assert result.is_blocking
    assert of(result, "state") == Measurement(
        "state",
        1.0,
        "header clock of /joints set 0.503 s back at 0.99 s; 100 messages overlap; "
        "the log clock went on: use `clock: log`, or cut the recording there",
    )


def test_of_a_clock_set_back_without_another_the_recording_is_to_be_cut(robot: Any) -> None:
    robot.profile_content["clock"] = "log"
    robot.header_ns["/commands"][:] = 0
    log = robot.header_ns["/joints"].copy()
    log[100:] -= 503 * MS
    robot.log_ns["/commands"] = log
    result = check(robot, "clock_steps")
    assert result.failed_subjects == ("action",)  # optional, but laid beside another moment all the same
    assert of(result, "action").note == (
        "log clock of /commands set 0.493 s back at 0.99 s; 100 messages overlap; "
        "cut the recording there, or sort it by time if it was only written out of order"
    )


def test_many_steps_are_told_by_the_first(robot: Any) -> None:
    robot.log_ns["/joints"] = robot.header_ns["/joints"].copy()
    for row in (40, 80, 120, 160):
        robot.header_ns["/joints"][row:] -= 100 * MS
    state = of(check(robot, "clock_steps"), "state")
    assert state.value == 4
    assert "0.100 s back at 0.39 s, 0.100 s back at 0.79 s, 0.100 s back at 1.19 s and 1 more; " in state.note


def test_a_clock_set_forward_is_a_step_too(robot: Any) -> None:
    robot.log_ns["/wrist"] = robot.header_ns["/wrist"] + 8 * MS
    robot.header_ns["/wrist"][20:] += 400 * MS
    result = check(robot, "clock_steps")
    assert result.failed_subjects == ("images/wrist",)
    assert of(result, "images/wrist").note.startswith("header clock of /wrist set 0.400 s forward at 0.95 s; the log")


def test_a_log_clock_set_forward_is_a_pause_like_any_other(robot: Any) -> None:
    for topic, stamps in robot.header_ns.items():
        log = stamps + 8 * MS
        log[len(log) // 2 :] += 400 * MS
        robot.log_ns[topic] = log
    robot.profile_content["clock"] = "log"
    assert check(robot, "clock_steps").worst == 0
    assert not check(robot, "tick_coverage").is_passed


def test_messages_by_themselves_out_of_order_are_told(robot: Any) -> None:
    joints = robot.header_ns["/joints"]
    joints[[50, 51]] = joints[[51, 50]]
    result = check(robot, "clock_steps")
    assert result.is_passed
    assert of(result, "state").note == "2 messages out of order by themselves"
    coverage = of(check(robot, "tick_coverage"), "state")
    assert coverage.value == pytest.approx(100 * 40 / 41)  # the tick at 0.5 s
    assert coverage.note.endswith("; 2 messages whose stamps are not in the order of recording feed no tick")


def test_unused_messages_of_a_stamp_that_never_changes(robot: Any) -> None:
    result = check(robot, "messages_unused")
    assert result.is_passed
    assert result.worst == 0
    assert of(result, "images/wrist").note == "41 of 41 messages feed a tick"
    wrist = robot.header_ns["/wrist"]
    robot.log_ns["/wrist"] = wrist + 8 * MS
    robot.header_ns["/wrist"] = np.full(41, wrist[20])
    result = check(robot, "messages_unused")
    assert result.failed_subjects == ("images/wrist",)
    assert result.is_blocking
    assert of(result, "images/wrist").value == pytest.approx(100 * 40 / 41)
    assert of(result, "images/wrist").note == (
        "1 of 41 messages feed a tick; 41 share 1 header stamp; "
        "by the log clock they fill 41 tick periods: use `clock: log`"
    )
    # The check before it finds nothing wrong: every tick that is left has its message.
    assert check(robot, "tick_coverage").is_passed


@pytest.mark.parametrize(("repeats", "value"), [(2, 50), (5, 80)])
def test_unused_messages_of_stamps_that_repeat(robot: Any, repeats: int, value: float) -> None:
    wrist = robot.header_ns["/wrist"]
    robot.log_ns["/wrist"] = wrist + 8 * MS
    robot.header_ns["/wrist"] = np.repeat(wrist[::repeats], repeats)[:41]
    robot.profile_content["features"]["images/wrist"] = {"channel": "/wrist", "tolerance_ms": 300}
    result = check(robot, "messages_unused")
    assert result.failed_subjects == ("images/wrist",)
    assert of(result, "images/wrist").value == pytest.approx(value, abs=4)
    assert check(robot, "tick_coverage").is_passed


def test_stamps_that_repeat_by_the_only_clock_there_is(robot: Any) -> None:
    robot.profile_content["clock"] = "log"
    robot.log_ns["/wrist"] = np.repeat(robot.header_ns["/wrist"][::5], 5)[:41]
    robot.header_ns["/wrist"] = np.zeros(41, dtype=np.int64)
    result = check(robot, "messages_unused")
    assert of(result, "images/wrist").value == pytest.approx(80)
    assert of(result, "images/wrist").note == "7 of 35 messages feed a tick; 35 share 7 log stamps"


def test_another_clock_that_stands_still_hides_nothing(robot: Any) -> None:
    robot.profile_content["clock"] = "log"
    robot.log_ns["/wrist"] = np.repeat(robot.header_ns["/wrist"][::5], 5)[:41]
    robot.header_ns["/wrist"] = np.full(41, START_NS)
    assert of(check(robot, "messages_unused"), "images/wrist").value == pytest.approx(80)


def test_messages_faster_than_the_ticks_or_in_bursts_are_no_loss(robot: Any) -> None:
    robot.header_ns["/joints"] = np.repeat(robot.header_ns["/joints"][::5], 5)  # 100 Hz in fives, at 20 ticks a second
    start = robot.header_ns["/commands"][::20]
    robot.header_ns["/commands"] = (start[:, np.newaxis] + MS * np.arange(8) // 10).ravel()  # eight at a time
    robot.profile_content["features"]["action"] = {"channel": "/commands", "field": "data", "tolerance_ms": 300}
    result = check(robot, "messages_unused")
    assert of(result, "state").value == 0
    assert of(result, "action").value == 0
    assert of(result, "state").note == "41 of 205 messages feed a tick; 205 share 41 header stamps"


def test_messages_that_share_a_moment_by_both_clocks_are_no_loss(robot: Any) -> None:
    """Five objects seen in each picture of a slow camera: five messages at one stamp, recorded at once."""
    stamps = np.repeat(robot.header_ns["/wrist"][::8], 5)
    robot.header_ns["/commands"], robot.log_ns["/commands"] = stamps, stamps + 8 * MS
    robot.profile_content["features"]["action"] = {"channel": "/commands", "field": "data", "tolerance_ms": 500}
    assert of(check(robot, "messages_unused"), "action").value == 0


def test_a_simulation_slower_than_the_clock_on_the_wall_is_no_loss(robot: Any) -> None:
    for topic, stamps in robot.header_ns.items():
        robot.log_ns[topic] = stamps[0] + 10 * (stamps - stamps[0])
    assert check(robot, "messages_unused").is_passed
    assert check(robot, "clock_steps").is_passed
    assert check(robot, "recording_kept").worst == 100


@pytest.mark.parametrize("phase_ms", [0, 12.5, 25, 37.5])
@pytest.mark.parametrize("rule", ["nearest", "latest"])
def test_jitter_at_the_rate_of_the_ticks_is_no_loss(robot: Any, phase_ms: float, rule: str) -> None:
    jitter = np.random.default_rng(0).normal(0, 5 * MS, 41).astype(np.int64)
    robot.header_ns["/wrist"] = np.sort(robot.header_ns["/wrist"] + round(phase_ms * MS) + jitter)
    robot.log_ns["/wrist"] = robot.header_ns["/wrist"] + 8 * MS
    robot.profile_content["features"]["images/wrist"] = {"channel": "/wrist", "rule": rule}
    assert of(check(robot, "messages_unused"), "images/wrist").value < 10


def test_optional_features_are_measured_not_judged_for_what_they_waste(robot: Any) -> None:
    commands = robot.header_ns["/commands"]
    robot.log_ns["/commands"] = commands + 8 * MS
    robot.header_ns["/commands"] = np.full(len(commands), commands[100])
    result = check(robot, "messages_unused")
    assert of(result, "action").value > 90
    assert result.is_passed
    robot.header_ns["/commands"] = commands - 10**12
    action = of(check(robot, "messages_unused"), "action")
    assert math.isnan(action.value)
    assert (action.note, action.is_judged) == ("no message within the episode", False)


def test_recording_kept_when_a_camera_dies(robot: Any) -> None:
    whole = check(robot, "recording_kept")
    assert whole.is_passed
    assert whole.measurements == (Measurement("recording", 100.0, "2.0 s of 2.0 s", is_judged=False),)
    robot.header_ns["/wrist"] = robot.header_ns["/wrist"][:11]  # 0.5 s of 2
    result = check(robot, "recording_kept")
    assert result.failed_subjects == ("recording",)
    assert result.is_blocking
    assert of(result, "recording") == Measurement(
        "recording",
        25.0,
        "0.5 s of 2.0 s; images/wrist ends 1.5 s before the recording does; "
        "`required: false` of it, or `span: union`, keeps what the others recorded meanwhile",
    )
    # The checks before it find nothing wrong with what is left.
    assert check(robot, "tick_coverage").is_passed
    robot.profile_content["features"]["images/wrist"] = {"channel": "/wrist", "required": False}
    assert check(robot, "recording_kept").worst == 100


def test_recording_kept_when_a_feature_starts_late(robot: Any) -> None:
    robot.header_ns["/joints"] = robot.header_ns["/joints"][120:]
    result = check(robot, "recording_kept")
    assert of(result, "recording").value == pytest.approx(40)
    assert "; state starts 1.2 s after the recording; `required: false`" in of(result, "recording").note
    robot.profile_content["span"] = "union"
    assert check(robot, "recording_kept").worst == 100
    assert of(check(robot, "tick_coverage"), "state").value < 50


def test_less_than_sensors_take_to_start_is_not_judged(robot: Any) -> None:
    robot.header_ns["/joints"] = robot.header_ns["/joints"][90:]
    result = check(robot, "recording_kept")
    assert result.worst == pytest.approx(55)
    assert result.is_passed


def test_less_than_a_tick_is_not_judged(robot: Any) -> None:
    robot.profile_content["rate_hz"] = 0.6  # ticks at 0 and 1.67 s
    robot.header_ns = {topic: START_NS + 3 * (stamps - START_NS) // 2 for topic, stamps in robot.header_ns.items()}
    result = check(robot, "recording_kept")
    assert result.worst < 75
    assert result.is_passed


def test_channels_that_no_feature_needs_tell_how_long_a_recording_lasts(robot: Any) -> None:
    robot.header_ns["/map"] = START_NS + 1000 * MS * np.arange(9)
    assert check(robot, "recording_kept").worst == 100  # nine messages may have been sent at any time
    robot.header_ns["/map"] = START_NS + 1000 * MS * np.arange(11)
    result = check(robot, "recording_kept")
    assert result.worst == pytest.approx(20)
    assert "of 10.0 s; images/wrist ends 8.0 s before the recording does" in of(result, "recording").note


def test_an_optional_channel_that_hardly_speaks_does_not_stretch_the_recording(robot: Any) -> None:
    robot.header_ns["/commands"] = START_NS + np.array([0, 60_000], dtype=np.int64) * MS
    assert check(robot, "recording_kept").worst == 100
    robot.profile_content["features"]["action"] = {"channel": "/commands", "field": "data"}
    robot.profile_content["span"] = "union"
    robot.profile_content["features"]["state"] = {"channel": "/joints", "field": "position"}
    assert check(robot, "recording_kept").measurements[0].note.startswith("60.0 s of 60.0 s")


def test_a_recording_without_log_times_has_no_length(robot: Any) -> None:
    for topic, stamps in robot.header_ns.items():
        robot.log_ns[topic] = np.zeros_like(stamps)
    [measurement] = check(robot, "recording_kept").measurements
    assert math.isnan(measurement.value)
    assert (measurement.note, measurement.is_judged) == ("recorded at one instant", False)


def test_parts_of_a_feature_are_judged_by_themselves(robot: Any) -> None:
    robot.share_joints(behind_ms=4)
    for name in ("clock_steps", "messages_unused"):
        result = check(robot, name)
        assert result.is_passed
        assert {"state.arm", "state.gripper"} <= {m.subject for m in result.measurements}
    assert of(check(robot, "tick_coverage"), "state").value > 95
    robot.header_ns["/joints"][201::2] -= 300 * MS
    result = check(robot, "clock_steps")
    assert result.failed_subjects == ("state.gripper",)
    assert of(result, "state.gripper").note.startswith("header clock of /joints set 0.300 s back at 0.99 s")
