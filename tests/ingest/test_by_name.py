"""Numbers by what their messages call them: the values are those of the name, wherever the messages put it."""

from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bagmill.testing.messages import SampleMessage

from .conftest import START_NS

STEP_NS = 50_000_000
TRUTH = {"shoulder": 1.0, "elbow": 2.0, "gripper": 0.04}


def joints(n: int, names: list[str], *, topic: str = "/joint_states", truth: dict[str, float] | None = None) -> Any:
    ns = START_NS + n * STEP_NS
    values = {"name": names, "position": [(truth or TRUTH)[name] for name in names]}
    return SampleMessage(topic, "sensor_msgs/msg/JointState", values, ns, header_ns=ns)


def transform(n: int, *transforms: tuple[str, str, float], late_ns: int = 0) -> SampleMessage:
    ns = START_NS + n * STEP_NS + late_ns
    stamp = {"sec": ns // 10**9, "nanosec": ns % 10**9}
    values = {
        "transforms": [
            {
                "header": {"frame_id": frame, "stamp": stamp},
                "child_frame_id": child,
                "transform": {"translation": {"x": x}, "rotation": {"w": 1.0}},
            }
            for frame, child, x in transforms
        ]
    }
    return SampleMessage("/tf", "tf2_msgs/msg/TFMessage", values, ns)


def test_an_index_into_named_numbers_goes_by_the_name_of_the_first_message(make_episode):
    orders = [["shoulder", "elbow", "gripper"], ["gripper", "shoulder", "elbow"]]
    made = make_episode(
        [joints(n, orders[n >= 20]) for n in range(40)],
        {
            "state": {"channel": "/joint_states", "field": "position"},
            "gripper": {"channel": "/joint_states", "field": "position[2]"},
            "arm": {"channel": "/joint_states", "field": "position[0:2]"},
            "elbow": {"channel": "/joint_states", "field": "position[name=elbow]"},
            "by_place": {"channel": "/joint_states", "field": "position[2]", "by": "place", "rule": "nearest"},
        },
    )
    group = made.group
    assert group["state"].attrs["names"] == ["shoulder", "elbow", "gripper"]
    assert group["state"].attrs["is_named"] is True
    np.testing.assert_allclose(group["state"][:], [[1.0, 2.0, 0.04]] * 40)
    assert (group["gripper"].attrs["names"], group["arm"].attrs["names"]) == (["gripper"], ["shoulder", "elbow"])
    np.testing.assert_allclose(group["gripper"][:], 0.04)
    np.testing.assert_allclose(group["arm"][:], [[1.0, 2.0]] * 40)
    np.testing.assert_allclose(group["elbow"][:], 2.0)
    assert set(np.round(group["by_place"][:, 0], 3)) == {0.04, 2.0}
    assert group["by_place"].attrs["is_named"] is False


def test_a_trajectorys_first_point_goes_by_the_names_of_the_whole_message(make_episode):
    def command(n: int) -> SampleMessage:
        names = ["elbow", "gripper"] if n % 2 else ["gripper", "elbow"]
        ns = START_NS + n * STEP_NS
        point = {"positions": [TRUTH[name] for name in names], "time_from_start": {"sec": 7, "nanosec": 5}}
        values = {"joint_names": names, "points": [point, point]}
        return SampleMessage("/command", "trajectory_msgs/msg/JointTrajectory", values, ns, header_ns=ns)

    made = make_episode(
        [command(n) for n in range(40)],
        {
            "action": {"channel": "/command", "field": "points[0].positions", "rule": "latest"},
            "elbow": {"channel": "/command", "field": "points[1].positions[1]", "rule": "latest"},
        },
    )
    assert made.group["action"].attrs["names"] == ["gripper", "elbow"]
    np.testing.assert_allclose(made.group["action"][:], [[0.04, 2.0]] * 40)
    assert made.group["elbow"].attrs["names"] == ["elbow"]
    np.testing.assert_allclose(made.group["elbow"][:], 2.0)


def test_publishers_that_share_a_channel_do_not_damage_each_other(make_episode):
    messages = []
    for n in range(60):
        messages += [joints(n, ["elbow", "shoulder"])] if n % 3 else [joints(n, ["gripper"])]
    made = make_episode(
        messages,
        {
            "state": {"channel": "/joint_states", "field": "position", "tolerance_ms": 200},
            "gripper": {"channel": "/joint_states", "field": "position", "names": ["gripper"], "tolerance_ms": 200},
        },
    )
    state = made.group["state"]
    assert sorted(state.attrs["names"]) == ["elbow", "gripper", "shoulder"]
    for column, name in enumerate(state.attrs["names"]):
        np.testing.assert_allclose(state[:, column], TRUTH[name])
    np.testing.assert_allclose(made.group["gripper"][:], 0.04)
    assert all(measured.value == 0 for measured in made.checks["frames_damaged"].measurements)
    # The lineage of both publishers is kept.
    assert set(made.group["sequence/state.0"][:]) | set(made.group["sequence/state.1"][:]) <= set(range(60))
    assert set(made.group["sequence/state.0"][:] % 3) == {0}


def test_a_first_message_without_names_decides_nothing(make_episode):
    messages = [
        joints(0, []),
        *(joints(n, ["b", "a"] if n > 20 else ["a", "b"], truth={"a": 1, "b": 2}) for n in range(1, 40)),
    ]
    made = make_episode(messages, {"state": {"channel": "/joint_states", "field": "position"}})
    assert made.group["state"].attrs["names"] == ["a", "b"]
    np.testing.assert_allclose(made.group["state"][:], [[1, 2]] * 39)


def test_an_element_of_a_list_is_chosen_by_what_it_says(make_episode):
    messages = []
    for n in range(40):
        messages += [transform(n, ("base", "tool", 1.0)), transform(n, ("base", "camera", 100.0), late_ns=20_000_000)]
    path = "transforms[child_frame_id={}].transform.translation"
    made = make_episode(
        messages,
        {
            "tool": {"channel": "/tf", "field": path.format("tool")},
            "camera": {"channel": "/tf", "field": path.format("camera"), "rule": "nearest"},
        },
    )
    np.testing.assert_array_equal(made.group["tool"][:, 0], 1.0)
    np.testing.assert_array_equal(made.group["camera"][:, 0], 100.0)
    assert set(made.group["sequence/tool"][:] % 2) == {0}
    assert made.group["valid/tool"][:].all()


def test_an_index_into_a_list_whose_elements_change_is_refused_with_the_selector_to_write(make_episode):
    messages = [transform(n, ("base", ("tool", "camera")[n % 2], 1.0)) for n in range(40)]
    made = make_episode(messages, {"tool": {"channel": "/tf", "field": "transforms[0].transform.translation"}})
    assert made.group is None
    assert "its `child_frame_id` is tool, camera" in made.reason
    assert 'field: "transforms[child_frame_id=tool].transform.translation"' in made.reason


def test_an_index_into_a_list_that_stays_the_same_is_taken(make_episode):
    messages = [transform(n, ("base", "tool", 1.0), ("base", "camera", 2.0)) for n in range(40)]
    made = make_episode(messages, {"camera": {"channel": "/tf", "field": "transforms[1].transform.translation"}})
    np.testing.assert_array_equal(made.group["camera"][:, 0], 2.0)


def test_a_chosen_element_goes_by_its_own_stamp(make_episode):
    """The second transform was measured 30 ms after the first, beside which it was sent."""
    messages = []
    for n in range(40):
        first, second = (
            transform(n, ("base", name, n + 1.0), late_ns=late) for name, late in (("a", 0), ("b", 30_000_000))
        )
        both = {"transforms": first.values["transforms"] + second.values["transforms"]}
        messages.append(SampleMessage("/tf", "tf2_msgs/msg/TFMessage", both, second.log_ns))
    path = "transforms[child_frame_id={}].transform.translation"
    made = make_episode(
        messages,
        {name: {"channel": "/tf", "field": path.format(name), "rule": "nearest"} for name in "ab"},
        span="union",
        checks={"tick_coverage": {"threshold": 90}, "episode_coverage": {"threshold": 90}},
    )
    for name, late_ns in (("a", 0), ("b", 30_000_000)):
        source = made.group[f"source/{name}"][:][made.group[f"valid/{name}"][:]]
        assert set((source - START_NS) % STEP_NS) == {late_ns}


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_order_and_publishers_never_change_a_values_name(make_episode, data):
    """Joints in any order, on any number of publishers, with messages of equal stamps swapped."""
    truth = {name: float(n) for n, name in enumerate("abcd")}
    messages: list[SampleMessage] = []
    for n in range(8):
        names = data.draw(st.permutations(list(truth)))
        cuts = sorted(data.draw(st.sets(st.integers(1, 3), max_size=2)))
        pieces = [names[start:end] for start, end in zip([0, *cuts], [*cuts, 4], strict=True)]
        messages += [joints(n, piece, truth=truth) for piece in data.draw(st.permutations(pieces))]
        if data.draw(st.booleans()):
            messages.append(messages[-1])
    made = make_episode(
        messages,
        {"state": {"channel": "/joint_states", "field": "position"}},
        checks={"tick_coverage": {"severity": "off"}, "episode_coverage": {"severity": "off"}},
    )
    if made.group is None:
        pytest.fail(made.reason)
    state = made.group["state"]
    assert sorted(state.attrs["names"]) == list(truth)
    expected = [truth[name] for name in state.attrs["names"]]
    values, is_valid = state[:], made.group["valid/state"][:]
    np.testing.assert_allclose(values[is_valid], np.broadcast_to(expected, values[is_valid].shape))
    assert is_valid.any()
