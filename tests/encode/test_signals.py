"""A signal's values on the ticks, against the numbers that were written into its messages."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bagmill.alignment import AlignedFeature
from bagmill.encode.signals import SignalCollector
from bagmill.plan import FeaturePlan, PartPlan
from bagmill.profile import FeatureSpec
from bagmill.recordings.records import Channel
from bagmill.testing.messages import Dialect, SampleMessage, serialise, typestore

JOINT_STATE = "sensor_msgs/msg/JointState"
JOINTS = ("hip", "toe", "arm")
DIALECTS: tuple[Dialect, ...] = ("ros1", "ros2")


def channel_of(dialect: Dialect, schema_name: str = JOINT_STATE) -> Channel:
    definition, _ = typestore(dialect).generate_msgdef(schema_name, ros_version=1 if dialect == "ros1" else 2)
    encodings = ("ros1msg", "ros1") if dialect == "ros1" else ("ros2msg", "cdr")
    return Channel(0, "/state", schema_name, encodings[0], definition.encode(), encodings[1])


def pack(values: dict, n: int, dialect: Dialect, schema_name: str = JOINT_STATE) -> bytes:
    return serialise(SampleMessage("/state", schema_name, values, 0, header_ns=n * 10**7), dialect=dialect)


def joint_state(n: int, dialect: Dialect, *, joints=JOINTS, frame_id="base") -> bytes:
    """Every joint's value follows from the message's number, whatever the order."""
    positions = [n + JOINTS.index(joint) / 10 for joint in joints]
    return pack({"header": {"frame_id": frame_id}, "name": joints, "position": positions}, n, dialect)


def written(n: int, joints=JOINTS) -> list[float]:
    return [n + JOINTS.index(joint) / 10 for joint in joints]


def collector_of(channel: Channel, rows, *, num_messages: int, field="position", joints=JOINTS, width=3):
    """A collector of the rows of a stream that one tick each is made from."""
    rows = np.asarray(rows, np.int64)
    aligned = AlignedFeature(
        before=rows,
        after=rows,
        weight=np.zeros(len(rows)),
        source_ns=rows,
        is_valid=rows >= 0,
        is_interpolated=np.zeros(len(rows), np.bool_),
    )
    part = PartPlan(
        label="",
        spec=FeatureSpec(channel="/state", field=field).sources[0],
        channel=channel,
        clock="header",
        stamp=None,
        rule="nearest",
        tolerance_ns=10**9,
        rows=np.arange(num_messages),
        field=field,
        joints=joints,
        columns=tuple(range(width)),
    )
    feature = FeaturePlan(
        name="state",
        kind="signal",
        spec=FeatureSpec(channel="/state"),
        parts=(part,),
        shape=(width,),
        dtype=np.dtype(np.float64),
    )
    return SignalCollector(feature, part, aligned, num_messages=num_messages)


def take_all(collector: SignalCollector, payloads: list[bytes]) -> None:
    """As a reader does that reuses its buffer: what was handed over is gone by the next message."""
    buffer = bytearray(max(map(len, payloads)))
    for n, payload in enumerate(payloads):
        buffer[: len(payload)] = payload
        collector.take(n, memoryview(buffer)[: len(payload)])
        buffer[:] = b"\xa5" * len(buffer)


def take_runs(collector: SignalCollector, payloads: list[bytes]) -> None:
    """As a recording's blocks are taken: some messages at a time."""
    for first in range(0, len(payloads), 7):
        collector.take_run(first, [memoryview(payload) for payload in payloads[first : first + 7]])


@pytest.mark.parametrize("take", [take_all, take_runs])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_many_messages_of_one_layout(dialect, take):
    payloads = [joint_state(n, dialect) for n in range(4000)]
    assert len(payloads[0]) * len(payloads) > 2 * 2**17, "more than two blocks"
    collector = collector_of(channel_of(dialect), range(4000), num_messages=4000)
    take(collector, payloads)
    assert collector.faults.sequences == []
    assert collector.values(np.ones(4000, np.bool_)).tolist() == [written(n) for n in range(4000)]


KINDS = ("usual", "usual", "usual", "reversed", "other frame", "long frame", "missing joint", "cut", "bad text", "tail")


def message_of(kind: str, n: int, dialect: Dialect) -> tuple[bytes, bool]:
    """A payload, and whether it can be decoded."""
    usual = joint_state(n, dialect)
    kinds = {
        "usual": (usual, True),
        "reversed": (joint_state(n, dialect, joints=JOINTS[::-1]), True),
        "other frame": (joint_state(n, dialect, frame_id="tool"), True),
        "long frame": (joint_state(n, dialect, frame_id="é" * (1 + n % 30)), True),
        "missing joint": (joint_state(n, dialect, joints=JOINTS[:2]), False),
        "cut": (usual[: 30 + n % 40], False),
        "bad text": (usual.replace(b"base", b"\xffase"), False),
        "tail": (usual + b"\0" * 9, False),
    }
    return kinds[kind]


@settings(max_examples=30)
@given(kinds=st.lists(st.sampled_from(KINDS), min_size=1, max_size=60), data=st.data())
@pytest.mark.parametrize("take", [take_all, take_runs])
@pytest.mark.parametrize("dialect", DIALECTS)
def test_odd_and_damaged_messages_among_the_usual_ones(dialect, take, kinds, data):
    messages = [message_of(kind, n, dialect) for n, kind in enumerate(kinds)]
    rows = data.draw(st.lists(st.integers(-1, len(kinds) - 1), max_size=40))
    joints = data.draw(st.permutations(JOINTS).map(tuple))
    collector = collector_of(channel_of(dialect), rows, num_messages=len(kinds), joints=joints)
    take(collector, [payload for payload, _ in messages])
    assert collector.faults.sequences == sorted({row for row in rows if row >= 0 and not messages[row][1]})
    is_valid = np.array([row >= 0 and messages[row][1] for row in rows], np.bool_)
    expected = [written(row, joints) if valid else [np.nan] * 3 for row, valid in zip(rows, is_valid, strict=True)]
    np.testing.assert_array_equal(collector.values(is_valid), np.reshape(expected, (-1, 3)))


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_channel_that_changes_its_layout_for_good(dialect):
    payloads = [joint_state(n, dialect, joints=JOINTS if n < 100 else JOINTS[::-1]) for n in range(2500)]
    assert len(payloads[0]) == len(payloads[-1])
    collector = collector_of(channel_of(dialect), range(2500), num_messages=2500)
    take_all(collector, payloads)
    assert collector.faults.sequences == []
    assert collector.values(np.ones(2500, np.bool_)).tolist() == [written(n) for n in range(2500)]


@pytest.mark.parametrize("dialect", DIALECTS)
def test_a_channel_whose_every_message_has_another_size(dialect):
    payloads = [joint_state(n, dialect, frame_id="x" * (4 * n)) for n in range(80)] * 2
    collector = collector_of(channel_of(dialect), range(160), num_messages=160)
    take_all(collector, payloads)
    assert collector.values(np.ones(160, np.bool_)).tolist() == [written(n % 80) for n in range(160)]


def test_messages_too_large_for_a_block():
    name = "sensor_msgs/msg/LaserScan"
    ranges = np.arange(12 * 6000, dtype=np.float32).reshape(12, 6000)
    payloads = [pack({"ranges": row}, n, "ros2", name) for n, row in enumerate(ranges)]
    collector = collector_of(
        channel_of("ros2", name), range(12), num_messages=12, field="ranges[5998:6000]", joints=(), width=2
    )
    take_all(collector, payloads)
    assert collector.values(np.ones(12, np.bool_)).tolist() == ranges[:, -2:].tolist()


def test_messages_of_another_width_are_damaged():
    payloads = [pack({"name": JOINTS, "position": [1.0] * (3 + (n == 4))}, n, "ros2") for n in range(6)]
    collector = collector_of(channel_of("ros2"), range(6), num_messages=6, joints=())
    take_all(collector, payloads)
    assert collector.faults.sequences == [4]


@pytest.mark.parametrize("take", [take_all, take_runs])
def test_messages_that_no_tick_uses_are_not_looked_into(take):
    collector = collector_of(channel_of("ros2"), [0, 2], num_messages=3)
    take(collector, [joint_state(0, "ros2"), b"no message", joint_state(2, "ros2"), b"not there at the scan"])
    assert collector.faults.sequences == []
    assert collector.values(np.ones(2, np.bool_)).tolist() == [written(0), written(2)]


def test_damage_may_be_asked_for_between_messages():
    collector = collector_of(channel_of("ros2"), range(40), num_messages=40)
    for n in range(40):
        collector.take(n, joint_state(n, "ros2").replace(b"hip", b"hop" if n % 10 == 5 else b"hip"))
        assert collector.faults.sequences == list(range(5, n + 1, 10))
