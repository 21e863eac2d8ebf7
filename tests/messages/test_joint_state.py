"""Joints by name, whatever order their messages come in."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages import signal_decoder
from bagmill.messages.parallel import joint_names

JOINT_STATE = "sensor_msgs/msg/JointState"
JOINTS = ("hip", "knee", "ankle", "toe")


def message(names, values, **more):
    return {"name": list(names), "position": list(values), **more}


@given(data=st.data())
def test_any_order_gives_the_same_numbers(wire, data):
    wanted = data.draw(st.permutations(JOINTS).map(tuple))[: data.draw(st.integers(1, 4))]
    decode = signal_decoder(wire.channel(JOINT_STATE), "position", names=wanted)
    for _ in range(3):
        order = data.draw(st.permutations(JOINTS))
        angles = {joint: float(n) for n, joint in enumerate(JOINTS)}
        payload = wire.pack(JOINT_STATE, message(order, [angles[joint] for joint in order]))
        assert decode(payload).tolist() == [angles[joint] for joint in wanted]


def test_json_messages_have_joints_too(json_channel):
    decode = signal_decoder(json_channel(JOINT_STATE), "position", names=("b", "a"))
    assert decode(json.dumps(message(["a", "b"], [1, 2])).encode()).tolist() == [2, 1]


def test_without_names_the_message_order_stands(wire):
    decode = signal_decoder(wire.channel(JOINT_STATE), "position")
    assert decode(wire.pack(JOINT_STATE, message(["b", "a"], [1, 2]))).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "field", "says"),
    [
        (message(["hip", "knee"], [1, 2]), "position", "no joint called ankle in the message, it has hip, knee"),
        (message([], [1, 2, 3]), "position", "no joint called hip, ankle in the message, it has no names"),
        (message(["", "", ""], [1, 2, 3]), "position", "it has no names"),
        (message(["hip", "hip", "ankle"], [1, 2, 3]), "position", "hip stands more than once in the message's names"),
        (
            message(["hip", "knee", "ankle"], [1, 2, 3]),
            "velocity",
            "`velocity`: expected one number for each of 3 joints, found 0",
        ),
        (message(["hip", "knee", "ankle"], [1, 2]), "position", "for each of 3 joints, found 2"),
    ],
)
def test_what_is_missing_is_named(wire, values, field, says):
    decode = signal_decoder(wire.channel(JOINT_STATE), field, names=("hip", "ankle"))
    with pytest.raises(DecodeError, match=says):
        decode(wire.pack(JOINT_STATE, values))


def test_an_error_does_not_spoil_the_next_message(wire):
    decode = signal_decoder(wire.channel(JOINT_STATE), "position", names=("hip",))
    with pytest.raises(DecodeError):
        decode(wire.pack(JOINT_STATE, message(["knee"], [1])))
    with pytest.raises(DecodeError):
        decode(wire.pack(JOINT_STATE, message(["knee"], [1])))
    assert decode(wire.pack(JOINT_STATE, message(["knee", "hip"], [1, 2]))).tolist() == [2]


def test_several_threads_share_one_decoder(cdr):
    decode = signal_decoder(cdr.channel(JOINT_STATE), "position", names=JOINTS)
    rng = np.random.default_rng(0)
    orders = [rng.permutation(4) for _ in range(400)]
    payloads = [cdr.pack(JOINT_STATE, message([JOINTS[n] for n in order], order)) for order in orders]
    with ThreadPoolExecutor(4) as pool:
        assert all(values.tolist() == [0, 1, 2, 3] for values in pool.map(decode, payloads))


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ({"name": ["a", "b"]}, ("a", "b")),
        ({"joint_names": ["a"]}, ("a",)),
        ({"name": "arm"}, ()),
        ({"name": [1, 2]}, ()),
        ({"name": ["a", "a"]}, ()),
        ({"name": ["a", ""]}, ()),
        ({}, ()),
        ([1, 2], ()),
    ],
)
def test_names_count_only_where_each_joint_has_its_own(found, expected):
    assert joint_names(found) == expected
