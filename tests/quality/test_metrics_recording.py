"""Metrics of stage `recording`: an input that passes, one that fails, and the number."""

import math
from typing import Any

import numpy as np
import pytest

from bagmill.quality import CheckResult, Measurement, judge
from bagmill.recordings.losses import Loss, Losses
from bagmill.recordings.records import Fault
from bagmill.streams.index import NO_STAMP

MS = 1_000_000
START_NS = 1_700_000_000_000_000_000


def check(robot: Any, name: str) -> CheckResult:
    [result] = [r for r in judge("recording", robot.recording_evidence(), robot.profile) if r.name == name]
    return result


def of(result: CheckResult, subject: str) -> Measurement:
    [measurement] = [m for m in result.measurements if m.subject == subject]
    return measurement


def test_container_intact_counts_errors_and_tells_warnings(robot: Any) -> None:
    assert check(robot, "container_intact").measurements == (Measurement("recording", 0.0),)
    warning = Fault("count_differs_from_summary", "The summary says 7 messages.", "warning")
    robot.faults = (warning,)
    assert check(robot, "container_intact").is_passed
    assert check(robot, "container_intact").measurements[0].note == "harmless: The summary says 7 messages."
    errors = tuple(Fault("chunk_crc_mismatch", f"Chunk {n} is damaged.") for n in range(4))
    robot.faults = (warning, *errors)
    result = check(robot, "container_intact")
    assert result.is_blocking
    assert result.worst == 4
    assert result.measurements[0].note == "Chunk 0 is damaged. Chunk 1 is damaged. Chunk 2 is damaged. (and 2 more)"
    robot.faults = (*errors, Fault("chunk_damaged", "There are 996 more.", "error", 996))
    result = check(robot, "container_intact")
    assert result.worst == 1000
    assert result.measurements[0].note.endswith("(and 997 more)")


def test_required_channels_counts_messages(robot: Any) -> None:
    result = check(robot, "required_channels")
    assert result.is_passed
    assert {m.subject: m.value for m in result.measurements} == {
        "/wrist": 41,
        "/depth": 41,
        "/joints": 201,
        "/commands": 201,
    }
    robot.header_ns["/wrist"] = np.array([], dtype=np.int64)
    del robot.header_ns["/commands"]
    result = check(robot, "required_channels")
    assert result.failed_subjects == ("/wrist",)
    assert result.is_blocking
    assert of(result, "/wrist") == Measurement(
        "/wrist", 0.0, "for images/wrist; the channel is there, and has no messages"
    )
    assert of(result, "/commands") == Measurement(
        "/commands", 0.0, "for action (optional); no such channel, there is /depth, /joints", is_judged=False
    )


def test_stamps_monotonic_counts_messages_that_go_back(robot: Any) -> None:
    result = check(robot, "stamps_monotonic")
    assert result.is_passed
    assert result.worst == 0
    joints = robot.header_ns["/joints"].copy()
    joints[100:] -= 35 * MS  # once back by 25 ms
    joints[150] = joints[149]
    joints[160] = joints[159] - 3 * MS
    robot.header_ns["/joints"] = joints
    result = check(robot, "stamps_monotonic")
    assert result.failed_subjects == ("/joints",)
    assert not result.is_blocking
    assert of(result, "/joints") == Measurement(
        "/joints", 2.0, "at most 25.000 ms back; 1 stamps repeat the one before"
    )


def test_stamps_that_only_repeat_pass(robot: Any) -> None:
    robot.header_ns["/joints"][7] = robot.header_ns["/joints"][6]
    assert check(robot, "stamps_monotonic").is_passed


def test_stamps_monotonic_survives_the_widest_step(robot: Any) -> None:
    robot.profile_content["clock"] = "log"
    robot.log_ns["/joints"] = robot.header_ns["/joints"].copy()
    robot.log_ns["/joints"][50] = np.iinfo(np.int64).min
    assert of(check(robot, "stamps_monotonic"), "/joints").value == 1


def test_rates_in_percent_of_the_expected(robot: Any) -> None:
    result = check(robot, "rates")
    assert result.is_passed
    assert of(result, "/wrist").value == pytest.approx(0, abs=1e-9)
    assert of(result, "/wrist").note == "20.00 Hz over 2.0 s, median interval 50.00 ms; expected 20 Hz"
    robot.header_ns["/wrist"] = robot.header_ns["/wrist"][np.arange(41) % 4 != 3]  # every fourth is lost
    result = check(robot, "rates")
    assert result.failed_subjects == ("/wrist",)
    assert result.is_blocking
    assert result.worst == pytest.approx(25)


def test_rates_without_an_expectation_are_told_not_judged(robot: Any) -> None:
    depth = of(check(robot, "rates"), "/depth")
    assert math.isnan(depth.value)
    assert not depth.is_judged
    assert depth.note == "20.00 Hz over 2.0 s, median interval 50.00 ms; the profile expects no rate"


@pytest.mark.parametrize("num_messages", [1, 2])
def test_messages_at_one_instant_have_no_rate(robot: Any, num_messages: int) -> None:
    robot.header_ns["/wrist"] = np.repeat(robot.header_ns["/wrist"][:1], num_messages)
    robot.header_ns["/depth"] = robot.header_ns["/wrist"]
    result = check(robot, "rates")
    assert of(result, "/wrist").value == 100
    assert result.failed_subjects == ("/wrist",)
    assert not of(result, "/depth").is_judged


def test_gaps_in_expected_periods(robot: Any) -> None:
    result = check(robot, "gaps")
    assert result.is_passed
    assert of(result, "/wrist").value == pytest.approx(1)
    wrist = robot.header_ns["/wrist"]
    overtaken = wrist[[*range(10), 20, 22, 21, *range(23, 41)]]  # what one message does by itself does not matter
    robot.header_ns["/wrist"] = overtaken
    robot.header_ns["/depth"] = np.delete(wrist, slice(10, 20))
    result = check(robot, "gaps")
    assert result.failed_subjects == ("/wrist",)
    assert not result.is_blocking
    assert of(result, "/wrist").value == pytest.approx(11)
    assert of(result, "/wrist").note == "0.550 s without a message, 0.45 s from the start"
    # In median intervals, and not judged.
    assert of(result, "/depth").value == pytest.approx(11)
    assert not of(result, "/depth").is_judged


def test_a_single_message_has_no_gap(robot: Any) -> None:
    for topic in robot.header_ns:
        robot.header_ns[topic] = robot.header_ns[topic][:1]
    wrist = of(check(robot, "gaps"), "/wrist")
    assert math.isnan(wrist.value)
    assert wrist.note == "a single message"


def test_gaps_count_what_is_missing_at_the_ends(robot: Any) -> None:
    robot.header_ns["/wrist"] = robot.header_ns["/wrist"][:14]  # dies after 0.65 s of 2
    robot.header_ns["/joints"] = robot.header_ns["/joints"][120:]
    robot.header_ns["/commands"] = robot.header_ns["/commands"][90:]  # 0.9 s late: sensors take that long to start
    result = check(robot, "gaps")
    assert result.failed_subjects == ("/wrist", "/joints")
    assert of(result, "/wrist").value == pytest.approx(1.35 * 20)
    assert of(result, "/wrist").note == "1.350 s without a message, behind its last, to the recording's end"
    assert of(result, "/joints").value == pytest.approx(1.2 * 100)
    assert of(result, "/joints").note == "1.200 s without a message, before its first, from the recording's beginning"
    assert of(result, "/commands").value == pytest.approx(1)


def test_what_is_sent_once_or_unset_does_not_stretch_the_recording(robot: Any) -> None:
    robot.header_ns["/map"] = np.array([START_NS - 60_000 * MS] * 2)  # latched, long before; no feature
    robot.log_ns["/depth"] = robot.header_ns["/depth"].copy()
    robot.log_ns["/depth"][0] = 0
    robot.log_ns["/joints"] = robot.header_ns["/joints"].copy()
    robot.log_ns["/joints"][50] += 3600 * 1000 * MS  # one message an hour off
    assert of(check(robot, "gaps"), "/wrist").value == pytest.approx(1)
    robot.header_ns["/map"] = START_NS - 1000 * MS * np.arange(10, 0, -1)  # once a second, for ten
    assert of(check(robot, "gaps"), "/wrist").value == pytest.approx(10.0 * 20)


def test_rates_and_gaps_of_a_clock_set_back(robot: Any) -> None:
    joints = robot.header_ns["/joints"].copy()
    robot.log_ns["/joints"] = joints.copy()
    joints[100:] -= 1500 * MS  # by more than was recorded until then
    robot.header_ns["/joints"] = joints
    rate = of(check(robot, "rates"), "/joints")
    assert rate.value == pytest.approx(0, abs=1e-9)
    assert rate.note == "100.00 Hz over 2.0 s, median interval 10.00 ms; expected 100 Hz"
    assert of(check(robot, "gaps"), "/joints").value == pytest.approx(1)


def test_rates_and_gaps_of_stamps_that_come_in_fives(robot: Any) -> None:
    robot.header_ns["/joints"] = np.repeat(robot.header_ns["/joints"][::5], 5)
    rate = of(check(robot, "rates"), "/joints")
    assert rate.value == pytest.approx(80)
    assert rate.note == (
        "20.00 Hz over 2.0 s, median interval 50.00 ms; 164 of 205 messages repeat the stamp before; expected 100 Hz"
    )
    assert of(check(robot, "gaps"), "/joints").value == pytest.approx(5)


def test_stamps_that_never_rise_have_neither_rate_nor_gap(robot: Any) -> None:
    robot.header_ns["/wrist"] = robot.header_ns["/wrist"][::-1].copy()
    rate = of(check(robot, "rates"), "/wrist")
    assert (rate.value, rate.note) == (100, "41 messages whose stamps never rise")
    gap = of(check(robot, "gaps"), "/wrist")
    assert (gap.note, gap.is_judged) == ("messages whose stamps never rise", False)


def test_clocks_agree_in_ms_between_header_and_log(robot: Any) -> None:
    result = check(robot, "clocks_agree")
    assert result.is_passed
    assert result.worst == pytest.approx(8)
    assert of(result, "/wrist").note.startswith("recorded 8.0 ms after the header stamp; latency beyond the fastest")
    robot.log_ns["/wrist"] = robot.header_ns["/wrist"] - 393 * MS  # stamped by a clock that is ahead
    result = check(robot, "clocks_agree")
    assert result.failed_subjects == ("/wrist",)
    assert not result.is_blocking
    assert of(result, "/wrist").value == pytest.approx(393)
    assert of(result, "/wrist").note.startswith("recorded 393.0 ms before the header stamp")


def test_clocks_of_different_eras_are_called_that(robot: Any) -> None:
    robot.log_ns["/wrist"] = robot.header_ns["/wrist"] - 1_700_000_000_000_000_000 + 7 * MS
    wrist = of(check(robot, "clocks_agree"), "/wrist")
    assert wrist.value == pytest.approx(1.7e12)
    assert wrist.note.startswith(
        "recorded 1,700,000,000.0 s before the header stamp; one of the two clocks does not tell the date"
    )


def test_clocks_agree_tells_drift_over_a_long_recording(robot: Any) -> None:
    assert "drift" not in of(check(robot, "clocks_agree"), "/wrist").note
    header = robot.header_ns["/wrist"][0] + 50 * MS * np.arange(1000, dtype=np.int64)  # 50 s
    robot.header_ns["/wrist"] = header
    robot.log_ns["/wrist"] = header + 5 * MS + (header - header[0]) // 10_000  # 100 ppm
    assert "drift +100.0 ppm" in of(check(robot, "clocks_agree"), "/wrist").note


def test_without_header_stamps_nothing_is_compared(robot: Any) -> None:
    robot.header_ns["/wrist"][:] = NO_STAMP
    for name in ("clocks_agree", "rates", "gaps", "stamps_monotonic"):
        wrist = of(check(robot, name), "/wrist")
        assert math.isnan(wrist.value)
        assert (wrist.note, wrist.is_judged) == ("no header stamps", False)


def test_messages_without_a_stamp_are_counted(robot: Any) -> None:
    robot.header_ns["/wrist"][[3, 5]] = 0
    robot.log_ns["/wrist"] = robot.header_ns["/joints"][: len(robot.header_ns["/wrist"])]
    assert "2 messages without a stamp" in of(check(robot, "clocks_agree"), "/wrist").note


def test_a_channel_used_by_two_clocks_is_two_subjects(robot: Any) -> None:
    features = robot.profile_content["features"]
    features["state_log"] = {**features["state"], "clock": "log"}
    assert [m.subject for m in check(robot, "gaps").measurements] == [
        "/wrist",
        "/depth",
        "/joints (header clock)",
        "/commands",
        "/joints (log clock)",
    ]


@pytest.mark.parametrize("is_told_first", [True, False])
def test_a_channel_of_two_features_is_one_subject_with_the_rate_of_either(robot: Any, is_told_first: bool) -> None:
    features = robot.profile_content["features"]
    state = features.pop("state")
    silent = {**state, "expected_rate_hz": None}
    features["position"], features["state"] = (state, silent) if is_told_first else (silent, state)
    joints = of(check(robot, "rates"), "/joints")
    assert joints.value == pytest.approx(0, abs=1e-9)
    assert joints.is_judged


def test_publishers_that_share_a_channel_are_measured_by_themselves(robot: Any) -> None:
    robot.share_joints(behind_ms=4)
    for name in ("rates", "gaps", "stamps_monotonic", "clocks_agree"):
        result = check(robot, name)
        assert result.is_passed
        assert [m.subject for m in result.measurements][2:4] == ["/joints (state.arm)", "/joints (state.gripper)"]
    assert of(check(robot, "rates"), "/joints (state.gripper)").value == pytest.approx(0, abs=1e-9)
    assert of(check(robot, "clocks_agree"), "/joints (state.arm)").value == pytest.approx(8)
    assert of(check(robot, "clocks_agree"), "/joints (state.gripper)").value == pytest.approx(12)
    # As one they go back two hundred times.
    robot.profile_content["features"]["state"] = {"channel": "/joints", "field": "gone"}
    assert of(check(robot, "stamps_monotonic"), "/joints").value == 201


def test_salvaged_counts_what_is_missing_by_channel(robot: Any) -> None:
    assert all(result.name != "salvaged" for result in judge("recording", robot.recording_evidence(), robot.profile))
    robot.profile_content["salvage"] = True
    assert check(robot, "salvaged").measurements == (Measurement("recording", 0.0),)

    robot.faults = (Fault("chunk_crc_mismatch", "Chunk 0 is damaged."), Fault("truncated", "The file breaks off."))
    entries = (Loss("truncated", "behind byte 9"), Loss("chunk_crc_mismatch", "bytes 1 to 2", "/joints", 3))
    robot.losses = Losses(entries, None, None)
    result = check(robot, "salvaged")
    assert (result.is_passed, result.is_blocking) == (False, False)
    assert {m.subject: m.value for m in result.measurements} == {"recording": 1.0, "/joints": 3.0}
    assert check(robot, "container_intact").is_passed

    robot.faults = (*robot.faults, Fault("data_crc_mismatch", "Some bytes are others."))
    assert check(robot, "container_intact").is_blocking, "what is wrong is not what is missing"
