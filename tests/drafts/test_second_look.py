from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bagmill.drafts import draft_profile, look_again
from bagmill.drafts.look import RecordingValues
from bagmill.streams import RecordingIndex, scan
from bagmill.testing import START_NS, SampleMessage, write_mcap
from tests.drafts.messages import MS, frame, joints

Record = Callable[..., Path]


def looked_at(folder: Path, *messages: SampleMessage) -> tuple[RecordingIndex, RecordingValues]:
    index = scan(write_mcap(folder / "r.mcap", sorted(messages, key=lambda message: message.log_ns)))
    return index, look_again(index)


def test_a_sample_is_bounded_and_spread(tmp_path: Path) -> None:
    _, values = looked_at(tmp_path, *(joints(n, ["a"], [n], period_ms=1) for n in range(5000)))
    (seen,) = values.fields.values()
    assert seen.num_looked_at <= 2_000
    assert (seen.lowest, seen.is_rising) == (0, True)
    assert seen.highest > 4_800


def test_progress_is_told(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    index = scan(write_mcap(tmp_path / "r.mcap", [joints(n, ["a"], [n]) for n in range(30)]))
    look_again(index, progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (30, 30)


def test_joints_of_another_publisher_are_not_looked_at(tmp_path: Path) -> None:
    arm = [joints(n, ["a", "b"], [1, 2]) for n in range(40)]
    hand = [joints(n, ["finger"], [np.nan], period_ms=100) for n in range(8)]
    _, values = looked_at(tmp_path, *arm, *hand)
    seen = {wanted.names: (one.num_unreadable, one.nan_share) for wanted, one in values.fields.items()}
    assert seen == {("a", "b"): (0, 0.0), ("finger",): (0, 1.0)}


def test_pictures_that_change_their_size_are_told(tmp_path: Path) -> None:
    small = {"height": 2, "width": 2, "encoding": "mono8", "step": 2, "data": b"1234"}
    others = [
        SampleMessage(
            "/cam/image_raw", "sensor_msgs/msg/Image", small, log_ns=START_NS + t * MS, header_ns=START_NS + t * MS
        )
        for t in range(990, 1980, 33)
    ]
    index, values = looked_at(tmp_path, *(frame(n) for n in range(30)), *others)
    (seen,) = values.cameras.values()
    assert seen.problem == "its pictures change their size: 64×48 and 2×2"
    assert 0.3 < seen.fitting_share < 0.7
    (feature,) = draft_profile(index, values=values).features
    assert "change their size" in feature.comment


def test_depth_in_metres_gets_a_step_that_reaches_far_enough(tmp_path: Path) -> None:
    far = np.full((2, 2), 90.0, dtype=np.float32)
    values = {"height": 2, "width": 2, "encoding": "32FC1", "step": 8, "data": far.tobytes()}
    depth = [
        SampleMessage("/d", "sensor_msgs/msg/Image", values, log_ns=START_NS + n * MS, header_ns=START_NS + n * MS)
        for n in range(20)
    ]
    index, seen = looked_at(tmp_path, *depth)
    (feature,) = draft_profile(index, values=seen).features
    assert feature.parts[0]["scale_m"] == 0.002


@pytest.mark.parametrize(("positions", "rule"), [(0.3, "linear"), (None, "angle")])
def test_joints_that_turn_without_an_end_are_angles_unless_they_count_turns(
    positions: float | None, rule: str, tmp_path: Path
) -> None:
    text = '<robot><joint type="continuous" name="wheel"/><joint name="arm" type="revolute"></joint></robot>'
    described = SampleMessage("/robot_description", "std_msgs/msg/String", {"data": text}, log_ns=START_NS)
    moved = [joints(n, ["arm", "wheel"], [0.5, n * positions if positions else 3 * np.sin(n / 30)]) for n in range(100)]
    index, values = looked_at(tmp_path, described, *moved)
    (feature,) = draft_profile(index, values=values).features
    assert [part["rule"] for part in feature.parts] == (["linear", "angle"] if rule == "angle" else ["linear"])


@pytest.mark.parametrize(
    ("unit", "ns", "first"), [("s", 10**9, 12.5), ("ms", 10**6, 40), ("us", 10**3, 5_000_000), ("ns", 1, 77)]
)
def test_stamps_inside_messages_are_known_by_how_they_rise(
    unit: str, ns: int, first: float, json_recording: Record
) -> None:
    def tell(n: int, _: int) -> dict[str, Any]:
        return {"timestamp": first + n * 20 * MS / ns, "counter": n, "q": [1.0, n / 10]}

    values = look_again(scan(json_recording("r.mcap", {"/state": ("State", tell, 60, 20)})))
    stamp = values.stamps["/state"]
    assert (stamp.field, stamp.unit, stamp.epoch) == ("timestamp", unit, "boot")


def test_a_number_that_only_rises_is_no_stamp(json_recording: Record) -> None:
    def tell(n: int, _: int) -> dict[str, Any]:
        return {"time": n * n, "q": [1.0, n / 10]}

    assert not look_again(scan(json_recording("r.mcap", {"/state": ("State", tell, 60, 20)}))).stamps


def test_a_scale_is_taken_from_the_topic_beside_the_camera(tmp_path: Path) -> None:
    depth = {"height": 2, "width": 2, "encoding": "mono16", "step": 4, "data": np.ones(4, np.uint16).tobytes()}
    messages = [
        SampleMessage(
            f"/device_0/sensor_{k}/Depth_0/image/data",
            "sensor_msgs/msg/Image",
            depth,
            log_ns=START_NS + n * MS,
            header_ns=START_NS + n * MS,
        )
        for n in range(10)
        for k in (0, 1)
    ]
    messages += [
        SampleMessage(
            f"/device_0/sensor_{k}/option/Depth_Units/value", "std_msgs/msg/Float32", {"data": value}, log_ns=START_NS
        )
        for k, value in ((0, 0.0001), (1, 0.00025))
    ]
    index, values = looked_at(tmp_path, *messages)
    scales = {
        feature.channels[0]: feature.parts[0]["scale_m"] for feature in draft_profile(index, values=values).features
    }
    assert scales == {
        "/device_0/sensor_0/Depth_0/image/data": 0.0001,
        "/device_0/sensor_1/Depth_0/image/data": 0.00025,
    }
