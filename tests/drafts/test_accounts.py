"""Every number of a message is taken, suggested, or left out with the reason."""

import re
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from mcap.writer import Writer

from bagmill.drafts import ProfileDraft, draft_profile, find_candidates, innermost, look_again
from bagmill.errors import BagmillError
from bagmill.recordings import discover
from bagmill.streams import RecordingIndex, scan
from bagmill.testing import START_NS, SampleMessage, write_mcap
from tests.drafts.messages import MS

Record = Callable[..., Path]


def drafted(path: Path) -> tuple[RecordingIndex, ProfileDraft]:
    index = scan(path)
    return index, draft_profile(index, values=look_again(index))


def unaccounted(index: RecordingIndex, draft: ProfileDraft) -> set[str]:
    """`topic field` of all numbers of which the draft says nothing, in candidates that are drafted at all."""
    told: dict[str, str] = {}
    for feature in draft.features:
        for part in feature.parts:
            told.setdefault(str(part["channel"]), "")
            told[str(part["channel"])] += f" `{part.get('field')}` `{dict(part.get('stamp', {})).get('field')}`"
    for topic, _, reason in draft.left_out:
        told[topic] = f"{told.get(topic, '')} {reason}"
    missing: set[str] = set()
    for candidate in find_candidates(index)[0]:
        if candidate.role in ("image", "depth"):
            continue
        text = re.sub(r"\[[^\]]*\]", "", told[candidate.topic])
        paths = {re.sub(r"\[[^\]]*\]", "", path) for path in innermost(candidate.stream.content.fields)}
        named = set(re.findall(r"`([^`]*)`", text))
        missing |= {
            f"{candidate.topic} {path}"
            for path in paths
            if not any(path == name or path.startswith(f"{name}.") or name.startswith(f"{path}.") for name in named)
            and "another clock" not in text
        }
    return missing


def own_message(path: Path, definition: str, layout: str, tell: Callable[[int], tuple[float, ...]]) -> Path:
    """ROS 2 messages of one's own, their bytes by `struct`."""
    with path.open("wb") as file:
        writer = Writer(file)
        writer.start("ros2", "tests")
        schema = writer.register_schema("demo/msg/Own", "ros2msg", definition.encode())
        channel = writer.register_channel("/own", "cdr", schema)
        for n in range(40):
            time_ns = START_NS + n * 50 * MS
            writer.add_message(channel, time_ns, b"\0\1\0\0" + struct.pack(layout, *tell(n)), time_ns)
        writer.finish()
    return path


def test_bookkeeping_is_told(tmp_path: Path) -> None:
    definition = "uint64 timestamp_sample\nfloat64 torque\nuint8[2] version\n"
    path = own_message(tmp_path / "r.mcap", definition, "<Qd2B", lambda n: (7, n / 10, 1, 2))
    index, draft = drafted(path)
    assert [feature.name for feature in draft.features] == ["own"]
    assert draft.left_out == (
        (
            "/own",
            "demo/msg/Own",
            "`timestamp_sample`, `version`: of the message, not of the robot: stamps, counters, covariances and the like",
        ),
    )
    assert not unaccounted(index, draft)


def test_counters_that_float64_does_not_hold_are_left_out(tmp_path: Path) -> None:
    definition = "uint64 ticks\nfloat64 torque\n"
    path = own_message(tmp_path / "r.mcap", definition, "<Qd", lambda n: (2**60 + 3 * n, n / 10))
    _, draft = drafted(path)
    assert [part["field"] for feature in draft.features for part in feature.parts] == ["torque"]
    assert draft.left_out[0][2] == "`ticks`: whole numbers beyond 2**53, which float64 does not hold exactly"


def test_smaller_counters_are_taken(tmp_path: Path) -> None:
    definition = "uint64 ticks\nfloat64 torque\n"
    path = own_message(tmp_path / "r.mcap", definition, "<Qd", lambda n: (2**52 + 3 * n, n / 10))
    _, draft = drafted(path)
    assert {part["field"] for feature in draft.features for part in feature.parts} == {"ticks", "torque"}


def test_a_stamp_in_nanoseconds_since_1970_is_a_stamp_all_the_same(tmp_path: Path) -> None:
    definition = "uint64 timestamp\nfloat64 torque\n"
    path = own_message(tmp_path / "r.mcap", definition, "<Qd", lambda n: (START_NS + n * 50 * MS - 1, n / 10))
    index, draft = drafted(path)
    assert draft.features[0].parts[0]["stamp"] == {"field": "timestamp"}
    assert draft.clock.clock == "header"
    assert not unaccounted(index, draft)


def test_what_stands_beside_the_joints_is_told(tmp_path: Path) -> None:
    values = {"name": ["a"], "position": np.array([1.0]), "velocity": np.array([0.5])}
    messages = [
        SampleMessage("/js", "sensor_msgs/msg/JointState", values, log_ns=t, header_ns=t)
        for t in range(START_NS, START_NS + 1000 * MS, 20 * MS)
    ]
    _, draft = drafted(write_mcap(tmp_path / "r.mcap", messages))
    assert draft.left_out[0][2] == "`velocity`: beside the joints' own feature; to use one, write `field: velocity`"


def test_fields_of_a_lists_elements_are_told(json_recording: Record) -> None:
    channels = {
        "/lowstate": (
            "LowState",
            lambda n, _: {"motors": [{"q": n / 10, "reserved": 0}, {"q": 1.0, "reserved": 0}]},
            30,
            50,
        )
    }
    index, draft = drafted(json_recording("r.mcap", channels))
    assert draft.left_out[0][2].startswith("`motors[:].reserved`: of the message")
    assert not unaccounted(index, draft)


def test_every_number_of_real_recordings_is_accounted_for(recordings_dir: Path) -> None:
    for recording in discover(recordings_dir):
        if "mcap_conformance" in recording.parts:
            continue
        try:
            index = scan(recording)
            draft = draft_profile(index)
        except BagmillError:
            continue
        assert unaccounted(index, draft) == set(), recording


@pytest.mark.parametrize("name", ["motors_17.mcap", "seven_numbers.mcap", "scan_inf.mcap", "flags.mcap"])
def test_every_number_of_small_odd_recordings_is_accounted_for(odd_recordings_dir: Path, name: str) -> None:
    index, draft = drafted(odd_recordings_dir / name)
    assert unaccounted(index, draft) == set()
