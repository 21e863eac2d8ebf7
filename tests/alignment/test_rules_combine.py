"""What a rule makes of two messages' values, against independent formulas."""

import cmath
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from bagmill.alignment import RULES

numbers = st.floats(-1e6, 1e6)
shares = st.floats(0, 1, exclude_max=True)


def combine(rule: str, before: object, after: object, weight: float) -> list[float]:
    row = RULES[rule].combine(
        np.array([before], dtype=np.float64), np.array([after], dtype=np.float64), np.array([weight])
    )
    assert row.shape[0] == 1
    return row[0].tolist()


@pytest.mark.parametrize("rule", list(RULES))
def test_a_message_that_feeds_its_tick_alone_is_left_as_it_is(rule: str) -> None:
    before = [0.1, math.inf, -0.0, 7.0]
    assert combine(rule, before, before, 0.0) == before


@pytest.mark.parametrize("rule", list(RULES))
def test_no_rows_give_no_rows(rule: str) -> None:
    assert RULES[rule].combine(np.empty((0, 8)), np.empty((0, 8)), np.empty(0)).shape == (0, 8)


@pytest.mark.parametrize("rule", ["nearest", "latest"])
def test_rules_of_one_message_hold_it(rule: str) -> None:
    assert combine(rule, [1.5, 2.5], [9.0, 9.0], 0.0) == [1.5, 2.5]


@given(
    before=hnp.arrays(np.float64, (5, 3), elements=numbers),
    after=hnp.arrays(np.float64, (5, 3), elements=numbers),
    weight=hnp.arrays(np.float64, 5, elements=shares),
)
def test_linear_is_the_straight_line(
    before: NDArray[np.float64], after: NDArray[np.float64], weight: NDArray[np.float64]
) -> None:
    made = RULES["linear"].combine(before, after, weight)
    for row in range(5):
        for column in range(3):
            a, b, w = before[row, column], after[row, column], weight[row]
            assert made[row, column] == pytest.approx(a + w * (b - a), rel=1e-9, abs=1e-6)
            assert min(a, b) - 1e-9 <= made[row, column] <= max(a, b) + 1e-9


@pytest.mark.parametrize("rule", ["linear", "angle"])
def test_what_is_not_finite_in_a_message_is_not_finite_between_two(rule: str) -> None:
    made = combine(rule, [math.nan, math.inf, 1.0], [0.0, 0.0, math.inf], 0.5)
    assert not any(math.isfinite(value) for value in made)


@given(before=st.floats(-math.pi, math.pi), after=st.floats(-math.pi, math.pi), weight=shares)
def test_angle_follows_the_shorter_arc(before: float, after: float, weight: float) -> None:
    [made] = combine("angle", [before], [after], weight)
    # On the unit circle: turn from the first by the share of the angle between the two.
    turn = cmath.phase(cmath.exp(1j * after) / cmath.exp(1j * before))
    if abs(turn) > math.pi - 1e-6:
        return  # of two arcs as long either will do
    wanted = cmath.exp(1j * (before + weight * turn))
    assert abs(cmath.exp(1j * made) - wanted) < 1e-9
    assert -math.pi <= made <= math.pi


@pytest.mark.parametrize(
    ("before", "after", "weight", "wanted"),
    [
        (0.0, 1.0, 0.25, 0.25),
        (3.1, -3.1, 0.25, 3.1 + 0.25 * (2 * math.pi - 6.2)),
        (3.1, -3.1, 0.75, -3.1 - 0.25 * (2 * math.pi - 6.2)),  # past the seam of [-pi, pi]
        (6.2, 0.1, 0.75, 0.1 - 0.25 * (2 * math.pi - 6.1)),  # past the seam of [0, 2 pi]
        (-7.0, -7.2, 0.5, -7.1),  # counts turns
        (7.0, 7.2, 0.5, 7.1),
        (-math.pi / 2, math.pi / 2, 0.5, 0.0),  # two arcs as long
    ],
)
def test_angle_keeps_the_recorded_range(before: float, after: float, weight: float, wanted: float) -> None:
    assert combine("angle", [before], [after], weight) == [pytest.approx(wanted, abs=1e-12)]


def rotation(quaternion: NDArray[np.float64]) -> NDArray[np.float64]:
    """The matrix of a quaternion (x, y, z, w): Rodrigues' formula on its axis and angle."""
    axis, w = quaternion[:3], quaternion[3]
    length = float(np.linalg.norm(axis))
    if length == 0:
        return np.eye(3)
    return turned(axis / length, 2 * math.atan2(length, w))


def turned(axis: NDArray[np.float64], angle: float) -> NDArray[np.float64]:
    x, y, z = axis
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.eye(3) + math.sin(angle) * cross + (1 - math.cos(angle)) * cross @ cross


quaternions = hnp.arrays(np.float64, 4, elements=st.floats(-1, 1)).filter(lambda q: np.linalg.norm(q) > 0.1)


@given(before=quaternions, after=quaternions, weight=shares)
def test_slerp_turns_at_constant_speed_on_the_shorter_way(
    before: NDArray[np.float64], after: NDArray[np.float64], weight: float
) -> None:
    start, end = rotation(before / np.linalg.norm(before)), rotation(after / np.linalg.norm(after))
    between = start.T @ end
    angle = math.acos(min(1.0, max(-1.0, (np.trace(between) - 1) / 2)))
    if angle > math.pi - 1e-3:
        return  # half a turn: both ways are as long
    made = np.array(combine("slerp", before, after, weight))
    if weight == 0:
        assert made.tolist() == before.tolist()
        return
    assert float(np.linalg.norm(made)) == pytest.approx(1, abs=1e-12)
    axis = np.array([between[2, 1] - between[1, 2], between[0, 2] - between[2, 0], between[1, 0] - between[0, 1]])
    length = float(np.linalg.norm(axis))
    wanted = start if length < 1e-6 else start @ turned(axis / length, weight * angle)
    np.testing.assert_allclose(rotation(made), wanted, atol=2e-6)


def test_slerp_on_known_quaternions() -> None:
    half = math.sqrt(0.5)
    # From no turn to a quarter turn about z: a third of it is 30 degrees.
    made = combine("slerp", [0, 0, 0, 1], [0, 0, half, half], 1 / 3)
    assert made == pytest.approx([0, 0, math.sin(math.radians(15)), math.cos(math.radians(15))], abs=1e-12)
    # The same turn with the other sign, and not of length 1.
    assert combine("slerp", [0, 0, 0, 5], [0, 0, -half * 3, -half * 3], 1 / 3) == pytest.approx(made, abs=1e-12)


def test_slerp_of_nearly_equal_quaternions_is_finite_and_between_them() -> None:
    made = combine("slerp", [0, 0, 0, 1], [1e-9, 0, 0, 1], 0.5)
    assert made == pytest.approx([5e-10, 0, 0, 1], abs=1e-15)
    assert combine("slerp", [0, 0, 0, 1], [0, 0, 0, 1], 0.5) == [0, 0, 0, 1]


def test_slerp_handles_every_four_numbers_by_themselves() -> None:
    half = math.sqrt(0.5)
    # The second group's left neighbour is no orientation.
    made = combine("slerp", [0, 0, 0, 1, 0, 0, 0, 0], [0, 0, half, half, 0, 0, 0, 1], 0.5)
    assert made[:4] == pytest.approx([0, 0, math.sin(math.pi / 8), math.cos(math.pi / 8)], abs=1e-12)
    assert all(math.isnan(value) for value in made[4:])


def test_slerp_of_a_quaternion_that_is_not_finite_is_nan() -> None:
    assert all(math.isnan(value) for value in combine("slerp", [math.inf, 0, 0, 1], [0, 0, 0, 1], 0.5))
    assert all(math.isnan(value) for value in combine("slerp", [0, 0, 0, 1], [0, math.nan, 0, 1], 0.5))
