"""By name or by place: which numbers of a message go with its names."""

from typing import Any

import numpy as np
import pytest

from bagmill.messages.content import ChannelContent
from bagmill.plan.naming import NumbersError
from bagmill.plan.numbers import Numbers, resolve_numbers
from bagmill.profile import PartSpec
from bagmill.recordings.records import Channel
from bagmill.streams.index import Stream


def stream_of(*examples: dict[str, Any], types: dict[str, str] | None = None) -> Stream:
    """One message of each form."""
    contents = tuple(ChannelContent.of_numbers(example, types=types) for example in examples)
    stamps = np.arange(len(contents), dtype=np.int64) + 1
    channel = Channel(0, "/robot", "x/msg/State", "ros2msg", b"", "cdr")
    form = np.arange(len(contents), dtype=np.int32)
    return Stream(channel, contents[0], stamps, stamps, stamps, stamps, contents, form)


def numbers(stream: Stream, field: str, **settings: Any) -> tuple[Numbers, ...]:
    return resolve_numbers(PartSpec(channel="/robot", field=field, **settings), stream)


def joints_of(stream: Stream, field: str, **settings: Any) -> list[tuple[str, ...]]:
    return [each.joints for each in numbers(stream, field, **settings)]


STATE = {
    "name": ["a", "b", "c"],
    "position": [0.0] * 3,
    "tcp_force": [0.0] * 3,
    "time_from_start": {"sec": 0, "nanosec": 0},
    "gains": [0.0] * 3,
    "offset": {"x": 0.0, "y": 0.0, "z": 0.0},
}
TYPES = {"position": "float64[]", "tcp_force": "float64[]", "gains": "float64[]", "offset.x": "float64"}


def turned(example: dict[str, Any]) -> dict[str, Any]:
    return {**example, "name": example["name"][::-1]}


def test_only_lists_that_run_parallel_to_the_names_are_theirs():
    stream = stream_of(STATE, turned(STATE), types=TYPES)
    assert joints_of(stream, "position") == [("a", "b", "c")]
    assert joints_of(stream, "position[2]") == [("c",)]
    assert joints_of(stream, "position[0:2]") == [("a", "b")]
    assert joints_of(stream, "offset") == [()]
    with pytest.raises(NumbersError, match="say `by: name` if the numbers go with the names"):
        numbers(stream, "tcp_force")
    still = stream_of(STATE, types=TYPES)
    assert numbers(still, "tcp_force")[0].names == ("tcp_force[0]", "tcp_force[1]", "tcp_force[2]")


def test_a_fixed_list_is_not_theirs_and_one_that_varies_with_them_is():
    fixed = stream_of(STATE, turned(STATE), types={**TYPES, "position": "float64[3]"})
    assert joints_of(fixed, "position") == [()]
    longer = {**STATE, "name": [*"abcd"], "gains": [0.0] * 4, "position": [0.0] * 4}
    assert joints_of(stream_of(STATE, longer, types=TYPES), "gains") == [("a", "b", "c"), ("d",)]


def test_what_cannot_be_told_is_asked_where_the_order_changes():
    assert joints_of(stream_of(STATE, types=TYPES), "gains") == [()]
    stream = stream_of(STATE, turned(STATE), types=TYPES)
    with pytest.raises(NumbersError, match="say `by: name` if the numbers go with the names, `by: place` if not"):
        numbers(stream, "gains")
    assert joints_of(stream, "gains", by="name") == [("a", "b", "c")]
    assert joints_of(stream, "gains", by="place") == [()]
    assert joints_of(stream, "gains", names=["c", "a"]) == [("c", "a")]


def test_messages_without_the_joints_are_left_to_others():
    arm, gripper = {"name": ["a", "b"], "position": [0.0] * 2}, {"name": ["g"], "position": [0.0]}
    stream = stream_of(arm, gripper, {"name": [], "position": []}, {**arm, "position": []})
    found = numbers(stream, "position")
    assert [(each.joints, each.rows(stream).tolist()) for each in found] == [(("a", "b"), [0]), (("g",), [1])]
    only = numbers(stream, "position", names=["b"])
    assert [(each.joints, each.rows(stream).tolist()) for each in only] == [(("b",), [0])]
    with pytest.raises(NumbersError, match="no joint called z on /robot; it has a, b, g"):
        numbers(stream, "position", names=["z", "a"])


def test_one_field_across_a_list():
    motors = {"motors": [{"q": 0.0, "mode": 0} for _ in range(20)]}
    (found,) = numbers(stream_of(motors), "motors[:].q")
    assert len(found.names) == 20
    assert found.names[19] == "motors[:].q[19]"
    named = {"motors": [{"name": name, "q": 0.0} for name in "xyz"]}
    assert joints_of(stream_of(named), "motors[:].q") == [("x", "y", "z")]
    assert joints_of(stream_of(named), "motors[1:].q") == [("y", "z")]


def test_a_place_in_a_list_beside_names_becomes_a_selector():
    models = {"name": ["ground", "robot"], "pose": [{"position": {"x": 0.0}} for _ in range(2)]}
    stream = stream_of(models, turned(models))
    (found,) = numbers(stream, "pose[1].position")
    assert found.field == "pose[name=robot].position"


def test_a_place_whose_element_changes_is_refused():
    def tags(*ids: int) -> dict[str, Any]:
        return {"tags": [{"id": tag, "x": 0.0} for tag in ids]}

    with pytest.raises(NumbersError, match=r"its `id` is 3, 4; choose by what it says: `field: \"tags\[id=3\].x\"`"):
        numbers(stream_of(tags(3), tags(4, 3)), "tags[0].x")
    assert numbers(stream_of(tags(3), tags(4, 3)), "tags[id=3].x")[0].forms == {0, 1}
    with pytest.raises(NumbersError, match=r"none of the message's 1 elements has id=9"):
        numbers(stream_of(tags(3)), "tags[id=9].x")


MODELS = {"name": ["ground", "robot"], "pose": [{"x": 0.0, "y": 0.0} for _ in range(2)]}
TAGS = [{"tags": [{"id": tag, "x": 0.0} for tag in tags]} for tags in ((3, 4), (4, 3))]


@pytest.mark.parametrize("path", ["pose", "pose[:].x", "pose[0:1].x", "pose[:]"])
def test_whole_lists_and_slices_whose_elements_change_are_refused_or_go_by_name(path):
    stream = stream_of(MODELS, turned(MODELS))
    if path == "pose[:].x":
        assert joints_of(stream, path) == [("ground", "robot")]
        return
    if path == "pose[0:1].x":
        assert joints_of(stream, path) == [("ground",)]
        return
    with pytest.raises(
        NumbersError, match=r"`pose\[0\]` is not the same element .* `name` is ground, robot; .*name=ground"
    ):
        numbers(stream, path)
    assert len(numbers(stream, path, by="place")[0].names) == 4
    assert len(numbers(stream_of(MODELS), path)[0].names) == 4


@pytest.mark.parametrize("path", ["tags", "tags[:].x", "tags[0:2].x", "tags[1].x"])
def test_elements_that_name_themselves_by_number_are_no_places(path):
    with pytest.raises(NumbersError, match=r"`id` is"):
        numbers(stream_of(*TAGS), path)


def test_a_trajectorys_points_are_no_joints():
    point = {"positions": [0.0, 0.0]}
    one, other = ({"joint_names": names, "points": [point, point]} for names in (["a", "b"], ["b", "a"]))
    assert joints_of(stream_of(one, other), "points[1].positions") == [("a", "b")]
    with pytest.raises(NumbersError, match=r"`points\[0\].positions\[0\]` is not the same .* its `name` is a, b"):
        numbers(stream_of(one, other), "points[0:2].positions")


@pytest.mark.parametrize("names", ["motors", "jointNames", "labels", "axes"])
def test_a_list_of_texts_names_whatever_it_is_called(names):
    state = {names: ["a", "b"], "position": [0.0, 0.0]}
    stream = stream_of(state, {**state, names: ["b", "a"]})
    assert joints_of(stream, "position") == [("a", "b")]
    assert joints_of(stream, "position[1]") == [("b",)]


def test_a_list_of_ids_names_what_stands_beside_it():
    poses = [{"x": 0.0}, {"x": 0.0}]
    stream = stream_of({"marker_ids": [5, 7], "poses": poses}, {"marker_ids": [7, 5], "poses": poses})
    assert joints_of(stream, "poses[:].x") == [("5", "7")]
    assert numbers(stream, "poses[0].x")[0].field == "poses[name=5].x"
    assert numbers(stream, "poses[marker_ids=5].x")[0].forms == {0, 1}


def test_what_tells_elements_apart_may_stand_deeper_in_them():
    def seen(*classes: str) -> dict[str, Any]:
        return {"detections": [{"results": [{"hypothesis": {"class_id": name}}], "x": 0.0} for name in classes]}

    stream = stream_of(seen("cup", "dog"), seen("dog", "cup"))
    with pytest.raises(NumbersError, match=r"detections\[results.hypothesis.class_id=cup\].x"):
        numbers(stream, "detections[0].x")
    assert numbers(stream, "detections[results.hypothesis.class_id=cup].x")[0].forms == {0, 1}


def test_names_that_repeat_are_asked_for():
    state = {"name": ["a", "b", "pad", "pad"], "position": [0.0] * 4}
    assert joints_of(stream_of(state), "position") == [()]
    stream = stream_of(state, turned(state))
    with pytest.raises(NumbersError, match="repeat or are empty, and change"):
        numbers(stream, "position")
    assert joints_of(stream, "position", names=["b", "a"]) == [("b", "a")]


def test_a_child_with_two_parents_needs_both_frames():
    def tf(parent: str) -> dict[str, Any]:
        return {"transforms": [{"header": {"frame_id": parent}, "child_frame_id": "tool", "x": 0.0}]}

    stream = stream_of(tf("base"), tf("map"))
    with pytest.raises(
        NumbersError, match=r"`header.frame_id` is base, map; .*child_frame_id=tool, header.frame_id=base"
    ):
        numbers(stream, "transforms[child_frame_id=tool].x")
    assert numbers(stream, "transforms[child_frame_id=tool, header.frame_id=map].x")[0].forms == {1}


def test_a_selector_that_fits_several_or_none_tells_what_there_is():
    stream = stream_of({"tf": [{"child_frame_id": name, "x": 0.0} for name in ("tool", "hand")]})
    with pytest.raises(
        NumbersError, match=r"has child_frame_id=tol; there are \[child_frame_id=tool\], \[child_frame_id=hand\]"
    ):
        numbers(stream, "tf[child_frame_id=tol].x")
    both = stream_of({"tf": [{"frame_id": "base", "child_frame_id": name, "x": 0.0} for name in ("tool", "hand")]})
    with pytest.raises(NumbersError, match=r"2 elements have frame_id=base; there are .*; add a condition"):
        numbers(both, "tf[frame_id=base].x")


def test_numbers_without_names_may_be_given_some():
    stream = stream_of({"data": [0.0, 0.0]})
    (found,) = numbers(stream, "data", by="place", names=["left", "right"])
    assert (found.names, found.joints) == (("left", "right"), ())
    with pytest.raises(NumbersError, match="1 `names` are given for the 2 numbers of `data`"):
        numbers(stream, "data", by="place", names=["left"])
    with pytest.raises(NumbersError, match="with `by: place` they are what the numbers are called"):
        numbers(stream, "data", names=["left", "right"])


def test_the_width_that_most_messages_have_counts():
    contents = [{"data": [0.0] * 6}, {"data": [0.0] * 4}, {"data": []}]
    stream = stream_of(*contents)
    many = Stream(
        stream.channel,
        stream.content,
        *[np.arange(1, 8)] * 4,
        stream.contents,
        np.array([1, 0, 0, 0, 2, 2, 2], np.int32),
    )
    (found,) = numbers(many, "data")
    assert len(found.names) == 6
    assert found.rows(many).tolist() == [0, 1, 2, 3]  # the one of another width is damaged, not somebody else's


def test_types_are_those_of_the_numbers_below_the_path():
    stream = stream_of(
        {"a": {"b": 0.0, "c": 0.0}, "m": [{"q": 0.0}]}, types={"a.b": "float32", "a.c": "int64", "m[:].q": "uint8"}
    )
    assert numbers(stream, "a")[0].types == {"float32", "int64"}
    assert numbers(stream, "a.b")[0].types == {"float32"}
    assert numbers(stream, "m[0].q")[0].types == {"uint8"}
