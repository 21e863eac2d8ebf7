"""Paths into messages, and what an inventory says of them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import DecodeError
from bagmill.messages.field_path import field_width, follow, parse_field_path
from bagmill.messages.numeric import numbers_of, numeric_fields

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


@pytest.mark.parametrize(
    "path", ["", ".", "a.", ".a", "a..b", "a[", "a[]", "a[-1]", "a[1:]", "a[:2]", "a[x]", "[0]", "a b", "a[0]b"]
)
def test_what_is_no_path_is_named(path):
    with pytest.raises(DecodeError, match=r"is no path to a field. Examples: position"):
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
    ("path", "width"),
    [
        ("position", 4),
        ("position[3]", 1),
        ("position[1:3]", 2),
        ("position[4]", None),
        ("position[2:5]", None),
        ("position[2:2]", None),
        ("velocity", None),
        ("velocity[0]", None),
        ("transforms[0].t", 2),
        ("transforms[0:2]", 4),
        ("transforms[0:3]", None),
        ("matrix[1]", 3),
        ("matrix[1][2]", 1),
        ("matrix[0:2]", 6),
        ("label", None),
        ("nonsense[", None),
    ],
)
def test_width_is_told_from_the_inventory_alone(path, width):
    assert field_width(numeric_fields(MESSAGE), path) == width


@given(size=st.integers(1, 30), first=st.integers(0, 35), length=st.integers(1, 35))
def test_width_agrees_with_what_is_decoded(size, first, length):
    message = {"data": np.arange(size, dtype=np.float32)}
    path = f"data[{first}:{first + length}]"
    width = field_width(numeric_fields(message), path)
    if width is None:
        with pytest.raises(DecodeError):
            follow(message, parse_field_path(path))
    else:
        assert len(numbers_of(follow(message, parse_field_path(path)))) == width == length
