"""Paths into messages, and what an inventory says of them."""

import numpy as np
import pytest

from bagmill.errors import DecodeError
from bagmill.messages.field_path import NotInMessageError, Selector, follow, parse_field_path, spell
from bagmill.messages.numeric import numbers_of

MESSAGE = {
    "position": [0.0, 1.0, 2.0, 3.0],
    "pose": {"position": {"x": 1.0, "y": 2.0}},
    "transforms": [{"t": {"x": 5, "y": 6}}, {"t": {"x": 7, "y": 8}}],
    "matrix": [[1, 2, 3], [4, 5, 6]],
    "rows": [{"cells": [0, 1]}, {"cells": [2, 3]}],
    "flag": True,
    "label": "text",
}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("position", [0, 1, 2, 3]),
        ("position[3]", [3]),
        ("position[1:3]", [1, 2]),
        ("pose", [1, 2]),
        ("pose.position.y", [2]),
        ("transforms", [5, 6, 7, 8]),
        ("transforms[1].t", [7, 8]),
        ("transforms[0:2].t.y", [6, 8]),
        ("matrix", [1, 2, 3, 4, 5, 6]),
        ("matrix[1]", [4, 5, 6]),
        ("matrix[1][2]", [6]),
        ("matrix[0:2][1]", [4, 5, 6]),
        ("rows[0:2].cells[1]", [1, 3]),
        ("flag", [1]),
    ],
)
def test_a_path_gives_its_numbers(path, expected):
    assert numbers_of(follow(MESSAGE, parse_field_path(path))).tolist() == expected


@pytest.mark.parametrize("path", ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[-1]", "a[x]", "[0]", "a b", "a[0]b"])
def test_what_is_no_path_is_named(path):
    with pytest.raises(DecodeError, match=r"is no path to a field.* Examples: position"):
        parse_field_path(path)


@pytest.mark.parametrize("path", ["a[2:2]", "a[3:1]"])
def test_empty_slices_are_refused(path):
    with pytest.raises(DecodeError, match="picks nothing"):
        parse_field_path(path)


@pytest.mark.parametrize(
    ("path", "says"),
    [
        ("velocity", "`velocity`: no `velocity` in the message, it has position, pose, transforms"),
        ("pose.orientation", "no `orientation` in the message, it has position"),
        ("position[4]", r"`position\[4\]`: expected at least 5 elements, found 4"),
        ("position[2:9]", "expected at least 9 elements, found 4"),
        ("pose[0]", "expected a list to pick from, found dict"),
        ("label[0]", "expected a list to pick from, found str"),
        ("transforms.t", r"expected a message with `t`, found a list. Pick from it: \[0\]"),
        ("position[0].x", "no `x` in the message, it has no fields"),
    ],
)
def test_what_a_message_lacks_is_named(path, says):
    with pytest.raises(DecodeError, match=says):
        follow(MESSAGE, parse_field_path(path))


@pytest.mark.parametrize(
    "path",
    [
        "position",
        "a[3].b[0:7]",
        "motors[:].q",
        "transforms[child_frame_id=tool].transform.translation",
        "transforms[header.frame_id=odom/base, child_frame_id='a \"b\"'].transform",
        "pose[name=robot_1].position",
    ],
)
def test_a_path_is_spelled_as_it_is_parsed(path):
    steps = parse_field_path(path).steps
    assert parse_field_path(spell(steps)).steps == steps


TRANSFORMS = {
    "transforms": [
        {"header": {"frame_id": "base"}, "child_frame_id": "tool", "x": 1.0},
        {"header": {"frame_id": "base"}, "child_frame_id": "camera", "x": 2.0},
        {"header": {"frame_id": "map"}, "child_frame_id": "tool", "x": 3.0},
        {"header": {"frame_id": "map"}, "child_frame_id": 7, "x": 4.0},
    ]
}


@pytest.mark.parametrize(
    ("selector", "x"),
    [
        ("child_frame_id=camera", 2.0),
        ("header.frame_id=map, child_frame_id=tool", 3.0),
        ('child_frame_id="tool", header.frame_id="base"', 1.0),
        ("child_frame_id=7", 4.0),
    ],
)
def test_an_element_is_chosen_by_what_it_says(selector, x):
    assert follow(TRANSFORMS, parse_field_path(f"transforms[{selector}].x")) == x


def test_an_element_that_is_not_there_is_another_messages_business():
    with pytest.raises(NotInMessageError, match=r"none of the message's 4 elements has child_frame_id=arm"):
        follow(TRANSFORMS, parse_field_path("transforms[child_frame_id=arm].x"))
    with pytest.raises(DecodeError, match=r"2 elements have child_frame_id=tool. Add a condition"):
        follow(TRANSFORMS, parse_field_path("transforms[child_frame_id=tool].x"))


def test_a_list_beside_the_names_is_chosen_from_by_name():
    models = {"name": ["ground", "robot"], "pose": [{"x": 0.0}, {"x": 5.0}]}
    assert follow(models, parse_field_path("pose[name=robot].x")) == 5.0
    assert follow({"name": ["a", "b"], "position": np.array([1.0, 2.0])}, parse_field_path("position[name=b]")) == 2.0


@pytest.mark.parametrize(
    "text",
    [
        "a[" + "9" * 5000 + "]",
        "a[0:" + "9" * 5000 + "]",
        "a[" + "b=" * 20_000,
        "a[b=" + " " * 60_000 + "x y",
        "a[" + " " * 60_000,
        "a[b=" + '"' * 30_001,
        "a." * 1_000_000 + "a",
    ],
)
def test_long_paths_are_refused_at_once(text):
    with pytest.raises(DecodeError, match="is no path to a field|is no condition"):
        parse_field_path(text)


def test_large_places_are_places():
    assert parse_field_path("a[123456789012345678]").steps == ("a", 123456789012345678)
    assert parse_field_path("a[ b = x y  , c.d='z' ]").steps[1] == Selector(((("b",), "x y"), (("c", "d"), "z")))
