"""Metrics of stage `episode`: an input that passes, one that fails, and the number."""

import math
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bagmill.messages import DecodeFault
from bagmill.quality import CheckResult, EpisodeEvidence, FrameSample, Measurement, judge, measure_fidelity

START_NS = 1_700_000_000_000_000_000


def check(robot: Any, name: str, **changes: Any) -> CheckResult:
    evidence: EpisodeEvidence = robot.episode_evidence(**changes)
    [result] = [r for r in judge("episode", evidence, robot.profile) if r.name == name]
    return result


def jpeg(rgb: NDArray[np.uint8], *, quality: int, subsampling: int) -> NDArray[np.uint8]:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "jpeg", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))


def images(*samples: FrameSample) -> dict[str, list[FrameSample]]:
    return {"images/wrist": list(samples)}


def flat(level: int) -> NDArray[np.uint8]:
    return np.full((16, 24, 3), level, np.uint8)


@pytest.mark.parametrize(
    ("name", "quality", "subsampling"), [("jpeg_psnr", 30, 0), ("jpeg_psnr_chroma", 95, 2), ("jpeg_ssim", 5, 0)]
)
def test_fidelity_is_that_of_the_worst_frame(
    robot: Any, make_picture: Callable[[int], NDArray[np.uint8]], name: str, quality: int, subsampling: int
) -> None:
    good = [FrameSample(n, make_picture(n), jpeg(make_picture(n), quality=98, subsampling=0)) for n in range(3)]
    result = check(robot, name, samples=images(*good))
    assert result.is_passed
    bad = FrameSample(7, make_picture(7), jpeg(make_picture(7), quality=quality, subsampling=subsampling))
    result = check(robot, name, samples=images(*good, bad))
    assert result.failed_subjects == ("images/wrist",)
    assert result.is_blocking
    assert result.measurements == (
        Measurement("images/wrist", measure_fidelity([bad])[name], "lowest of 4 frames, at tick 7"),
    )


def test_depth_exact_counts_pixels(robot: Any) -> None:
    result = check(robot, "depth_exact")
    assert result.measurements == (Measurement("depth/wrist", 0.0),)
    source = np.arange(12, dtype=np.uint16).reshape(3, 4)
    wrong = source.copy()
    wrong[0, 0], wrong[2, 1] = 10, 0
    samples = [FrameSample(0, source, source.copy()), FrameSample(5, source, wrong)]
    result = check(robot, "depth_exact", samples={"depth/wrist": samples})
    assert result.is_blocking
    assert result.measurements == (Measurement("depth/wrist", 2.0, "in 1 of 2 frames, the first at tick 5"),)


def test_cameras_without_samples_are_no_subject(robot: Any) -> None:
    names = {result.name for result in judge("episode", robot.episode_evidence(samples={}), robot.profile)}
    assert not names & {"jpeg_psnr", "jpeg_psnr_chroma", "jpeg_ssim", "depth_exact", "frames_black", "frames_blown"}


def test_frames_black_in_percent(robot: Any, make_picture: Callable[[int], NDArray[np.uint8]]) -> None:
    lamp = flat(0)
    lamp[:2, :4] = 255  # dark, a mean of 5, but not black all over
    seen = [FrameSample(n, frame, frame) for n, frame in enumerate([make_picture(0), lamp, flat(40)])]
    assert check(robot, "frames_black", samples=images(*seen)).worst == 0
    black = FrameSample(9, flat(5), flat(5))
    result = check(robot, "frames_black", samples=images(*seen, black))
    assert result.is_blocking
    assert result.measurements == (Measurement("images/wrist", 25.0, "1 of 4 sampled frames, the first at tick 9"),)


def test_frames_blown_in_percent(robot: Any, make_picture: Callable[[int], NDArray[np.uint8]]) -> None:
    window = flat(255)
    window[:2] = 90  # an eighth is not white
    seen = [FrameSample(n, frame, frame) for n, frame in enumerate([make_picture(0), window, flat(249)])]
    assert check(robot, "frames_blown", samples=images(*seen)).worst == 0
    white = flat(255)
    white[:1] = 90  # a sixteenth
    result = check(robot, "frames_blown", samples=images(*seen, FrameSample(9, white, white)))
    assert result.is_blocking
    assert result.measurements[0].value == 25.0


def test_one_black_frame_of_sixteen_passes(robot: Any, make_picture: Callable[[int], NDArray[np.uint8]]) -> None:
    samples = [FrameSample(0, flat(0), flat(0))] + [
        FrameSample(n, make_picture(n), make_picture(n)) for n in range(1, 16)
    ]
    result = check(robot, "frames_black", samples=images(*samples))
    assert result.worst == 6.25
    assert result.is_passed


def test_frames_frozen_in_percent_of_all_frames(robot: Any) -> None:
    encoded = {"images/wrist": 201, "depth/wrist": 1}
    result = check(
        robot,
        "frames_frozen",
        num_frames_encoded=encoded,
        num_frames_repeated={"images/wrist": 10, "depth/wrist": 0},
    )
    assert result.is_passed
    assert result.measurements[0] == Measurement("images/wrist", 5.0, "10 of 201 frames")
    assert math.isnan(result.measurements[1].value)
    result = check(
        robot,
        "frames_frozen",
        num_frames_encoded=encoded,
        num_frames_repeated={"images/wrist": 15, "depth/wrist": 0},
    )
    assert result.failed_subjects == ("images/wrist",)
    assert result.is_blocking
    assert result.worst == 7.5


def test_values_finite_counts_those_of_valid_ticks(robot: Any) -> None:
    assert check(robot, "values_finite").worst == 0
    state = np.full((41, 2), 0.5, np.float32)
    state[3, 0], state[4], state[10, 1] = np.inf, np.nan, np.nan
    timeline = robot.timeline
    is_valid = timeline.features["state"].is_valid.copy()
    is_valid[10] = False  # what is not valid may be nan
    aligned = replace(timeline.features["state"], is_valid=is_valid)
    timeline = replace(timeline, features={**timeline.features, "state": aligned})
    result = check(robot, "values_finite", signals={"state": state}, timeline=timeline)
    assert result.is_blocking
    (measured,) = result.measurements
    assert (measured.subject, measured.value, measured.note) == (
        "state",
        3.0,
        "2 nan and 1 infinite, at 2 ticks, the first 3",
    )
    assert "`nan: invalid`" in measured.remedy
    assert "`infinity: keep`" in measured.remedy


def test_within_limits_counts_values_and_names_them(robot: Any) -> None:
    state = np.tile(np.array([-2.0, 1.0], np.float32), (41, 1))  # exactly at the limits
    state[5] = np.nan  # no number, so `values_finite`'s business
    result = check(robot, "within_limits", signals={"state": state})
    assert result.measurements == (Measurement("state", 0.0),)
    state[7, 1], state[8, 1] = 1.25, -0.5
    result = check(robot, "within_limits", signals={"state": state})
    assert result.is_blocking
    assert result.measurements == (Measurement("state", 2.0, "position[1]: from -0.5 to 1.25"),)


def test_limits_do_not_hold_for_ticks_that_are_not_valid(robot: Any) -> None:
    timeline = robot.timeline
    aligned = replace(timeline.features["state"], is_valid=np.arange(41) != 3)
    timeline = replace(timeline, features={**timeline.features, "state": aligned})
    state = np.full((41, 2), 0.5, np.float32)
    state[3] = 9.0
    assert check(robot, "within_limits", signals={"state": state}, timeline=timeline).is_passed


def test_one_pair_of_limits_holds_for_all_values(robot: Any) -> None:
    robot.profile_content["features"]["state"] = {
        **robot.profile_content["features"]["state"],
        "limits": [[-0.1, 0.1]],
    }
    assert check(robot, "within_limits").worst == 82


def test_a_value_at_a_limit_that_float32_cannot_hold_is_within_it(robot: Any) -> None:
    robot.profile_content["features"]["state"] = {
        **robot.profile_content["features"]["state"],
        "limits": [[-0.1, 0.1]],
    }
    state = np.full((41, 2), 0.1).astype(np.float32)  # a hair above 0.1
    assert check(robot, "within_limits", signals={"state": state}).is_passed


def test_frames_stored_is_the_difference_to_valid_ticks(robot: Any) -> None:
    assert check(robot, "frames_stored").worst == 0
    result = check(robot, "frames_stored", num_frames_stored={"images/wrist": 39, "depth/wrist": 42})
    assert result.is_blocking
    assert result.measurements == (
        Measurement("images/wrist", 2.0, "41 ticks have one, 39 are stored"),
        Measurement("depth/wrist", 1.0, "41 ticks have one, 42 are stored"),
    )


def test_frames_damaged_warns(robot: Any) -> None:
    assert check(robot, "frames_damaged").is_passed
    faults = (DecodeFault("a JPEG that breaks off", "/wrist", 4, 2, START_NS + 2 * 10**9, remedy="Mend it"),)
    result = check(robot, "frames_damaged", decode_faults={"images/wrist": faults, "state": ()})
    told = next(measurement for measurement in result.measurements if measurement.subject == "images/wrist")
    assert told.note.startswith("4 messages of /wrist: a JPEG that breaks off (first ")
    assert told.remedy == "Mend it"
    assert result.failed_subjects == ("images/wrist",)
    assert not result.is_blocking
    assert result.worst == 4


def test_episode_coverage_blocks_where_damage_took_a_tenth(robot: Any) -> None:
    assert check(robot, "episode_coverage").worst == 100
    timeline = robot.timeline
    is_valid = np.arange(41) >= 5
    aligned = replace(timeline.features["images/wrist"], is_valid=is_valid)
    timeline = replace(timeline, features={**timeline.features, "images/wrist": aligned})
    faults = (
        DecodeFault("expected 640×480 pixels, found 320×240", "/wrist", 3, 0, START_NS, remedy="Split it"),
        DecodeFault("a JPEG that breaks off", "/wrist", 2, 3, START_NS + 10**8),
    )
    result = check(robot, "episode_coverage", timeline=timeline, decode_faults={"images/wrist": faults})
    assert result.failed_subjects == ("images/wrist",)
    assert result.is_blocking
    assert result.worst == pytest.approx(100 * 36 / 41)
    told = next(measurement for measurement in result.measurements if measurement.subject == "images/wrist")
    assert told.note.startswith("5 of 41 ticks without a value; at most 5 in a row, 0.00 s from the start; ")
    assert "3 messages of /wrist: expected 640×480 pixels, found 320×240 (first " in told.note
    assert "2 messages of /wrist: a JPEG that breaks off (first " in told.note
    assert told.remedy == "Split it"
    result = check(robot, "episode_coverage", timeline=timeline, num_unmeasured={"state": 7})
    assert "measured" not in result.measurements[0].note, "another feature's"
