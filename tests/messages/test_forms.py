"""The forms of a channel's messages, against every message described by itself."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.messages import UNREADABLE, UNTOLD, ChannelForms, describe

JOINT_STATE = "sensor_msgs/msg/JointState"


def joint_state(names, *, frame="base", width=None):
    return {"header": {"frame_id": frame}, "name": names, "position": np.arange(len(names) if width is None else width)}


def test_names_and_counts_make_a_form_and_other_texts_do_not(wire):
    forms = ChannelForms(wire.channel(JOINT_STATE))
    payloads = [
        wire.pack(JOINT_STATE, values)
        for values in (
            joint_state(["a", "b"]),
            joint_state(["a", "b"], frame="another frame"),
            joint_state(["b", "a"]),
            joint_state([]),
            joint_state(["a", "b"], width=3),
            joint_state(["a", "b"]),
        )
    ]
    assert forms.take(payloads) == [0, 0, 1, 2, 3, 0]
    assert [content.names for content in forms.contents] == [("a", "b"), ("b", "a"), (), ("a", "b")]
    assert [content.fields.get("position", 0) for content in forms.contents] == [2, 2, 0, 3]
    assert [content.kind for content in forms.contents] == ["numeric", "numeric", "none", "numeric"]


@given(
    choices=st.lists(
        st.tuples(st.permutations("abc").map("".join), st.sampled_from(["", "base", "odom"]), st.integers(0, 3)),
        min_size=1,
        max_size=30,
    ),
    cut=st.integers(1, 30),
)
def test_forms_are_those_that_every_message_has_by_itself(wire, choices, cut):
    channel = wire.channel(JOINT_STATE)
    payloads = [
        wire.pack(JOINT_STATE, joint_state(list(names[:count]), frame=frame)) for names, frame, count in choices
    ]
    forms = ChannelForms(channel)
    found = forms.take(payloads[:cut]) + forms.take(payloads[cut:])
    examples = [json.dumps(describe(channel, payload).example) for payload in payloads]
    assert [json.dumps(forms.contents[form].example) for form in found] == examples
    assert len(forms.contents) == len(set(examples))


def test_elements_are_told_apart_by_what_they_say_of_themselves(wire):
    name = "diagnostic_msgs/msg/DiagnosticArray"

    def statuses(*names, says="fine"):
        return wire.pack(name, {"status": [{"name": each, "message": says} for each in names]})

    forms = ChannelForms(wire.channel(name))
    payloads = [statuses("arm"), statuses("hand"), statuses("arm", "hand"), statuses("arm", says="hot")]
    assert forms.take(payloads) == [0, 1, 2, 0]


def test_numbers_that_name_an_element_count_and_others_do_not(json_channel):
    forms = ChannelForms(json_channel("tags"))
    payloads = [
        json.dumps({"tags": [{"id": tag, "x": x}]}).encode() for tag, x in ((3, 1.0), (3, 2.0), (4, 1.0), (3, 5.0))
    ]
    assert forms.take(payloads) == [0, 0, 1, 0]


@given(
    names=st.lists(st.permutations(["j1", "j2", "a, 7", 'q"3']), min_size=2, max_size=8),
    numbers=st.lists(st.floats(-1e9, 1e9), min_size=4, max_size=4),
)
def test_json_is_told_apart_by_its_texts_whatever_its_numbers(json_channel, names, numbers):
    forms = ChannelForms(json_channel(JOINT_STATE))
    payloads = [
        json.dumps({"name": order, "position": [n + x for x in numbers]}).encode() for n, order in enumerate(names)
    ]
    assert [forms.contents[form].names for form in forms.take(payloads)] == [tuple(order) for order in names]


def test_damaged_messages_have_no_form(wire):
    good, damaged = wire.pack(JOINT_STATE, joint_state(["a"])), b"\x00\x01\x00"
    forms = ChannelForms(wire.channel(JOINT_STATE))
    assert forms.take([damaged, good, good, damaged]) == [UNREADABLE, 0, 0, UNREADABLE]
    assert forms.problem is not None
    nothing = ChannelForms(wire.channel(JOINT_STATE))
    assert nothing.take([damaged] * 40) == [UNREADABLE] * 40
    assert nothing.contents == []


def test_a_channel_of_endlessly_many_forms_is_given_up(json_channel):
    forms = ChannelForms(json_channel("tags"))
    found = forms.take([json.dumps({"tags": [{"id": tag, "x": 1.0}]}).encode() for tag in range(4100)])
    assert found[:4096] == list(range(4096))
    assert set(found[4096:]) == {UNTOLD}


def test_a_channel_of_few_forms_with_huge_examples_is_given_up(json_channel):
    forms = ChannelForms(json_channel("tags"))
    payloads = [json.dumps({"tags": [{"id": tag, "name": "n" * 200_000}]}).encode() for tag in range(60)]
    found = forms.take(payloads)
    num_told = len(forms.contents)
    assert found == [*range(num_told), *[UNTOLD] * (60 - num_told)]
    assert 8 << 20 <= sum(len(json.dumps(content.example)) for content in forms.contents) < (8 << 20) + 250_000


@pytest.mark.parametrize("name", ["sensor_msgs/msg/CameraInfo", "std_msgs/msg/String", "nav_msgs/msg/Odometry"])
def test_most_channels_have_one_form(wire, name):
    forms = ChannelForms(wire.channel(name))
    assert forms.take([wire.pack(name, {}) for _ in range(9)]) == [0] * 9
