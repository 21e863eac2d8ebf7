import numpy as np
import pytest

from bagmill.drafts.fields import FieldChoice
from bagmill.drafts.refine import refine
from bagmill.drafts.values import FieldValues, measure_values

NAN, INF = float("nan"), float("inf")


def seen(*rows: list[float] | None) -> FieldValues:
    return measure_values([None if row is None else np.array(row, dtype=np.float64) for row in rows])


def choice(field: str = "data", *, num_values: int = 1, rule: str = "linear") -> FieldChoice:
    return FieldChoice(field, num_values, field, rule, None)


def column(values: np.ndarray) -> FieldValues:
    return measure_values([np.array([value]) for value in values])


def test_a_sample_is_told_by_its_bounds_and_its_gaps() -> None:
    values = seen([1.5, 2], [NAN, 3], [-4, INF], None)
    assert (values.num_looked_at, values.num_unreadable, values.widths, values.usual_width) == (4, 1, (2,), 2)
    assert (values.lowest, values.highest) == (-4, 3)
    assert values.nan_share == values.infinite_share == pytest.approx(1 / 3)
    assert values.column_bounds == ((-4, 1.5), (2, 3))
    assert not values.is_whole


def test_nothing_seen_is_no_error() -> None:
    values = measure_values([])
    assert (values.num_looked_at, values.usual_width, values.nan_columns) == (0, 0, ())
    assert refine(choice(), values).rule == "linear"


def test_nan_is_not_measured() -> None:
    refined = refine(choice(num_values=2), seen([1, 2], [NAN, 2], [1, 2], [1, 2]))
    assert refined.settings == {"nan": "invalid"}
    assert refined.valid_share == pytest.approx(0.75)
    assert "25 % of the messages hold nan" in refined.notes[0]


def test_what_is_nan_in_every_message_is_left_out() -> None:
    assert refine(choice(), seen([NAN], [NAN])).why_left_out == "nan in every message: not measured"
    why = refine(choice("joints", num_values=3), seen([1, NAN, 2], [2, NAN, 3])).why_left_out
    assert why is not None
    assert "numbers 1 of it" in why


def test_inf_is_kept_and_never_interpolated() -> None:
    refined = refine(choice("ranges", num_values=2, rule="linear"), seen([1, INF], [2, 3]))
    assert (refined.rule, refined.settings) == ("nearest", {"infinity": "keep"})


def test_quaternions_of_nothing_but_zeros_are_left_out() -> None:
    slerp = choice("orientation", num_values=4, rule="slerp")
    assert "no orientation" in (refine(slerp, seen([0, 0, 0, 0], [0, 0, 0, 0])).why_left_out or "")
    assert refine(slerp, seen([0, 0, 0, 0], [0, 0, 0, 1])).settings == {"nan": "invalid"}
    assert refine(slerp, seen([0, 0, 0, 1], [0, 0, 0, 1])).settings == {}


def test_a_list_whose_length_changes_is_left_out_with_the_part_that_can_be_had() -> None:
    why = refine(choice("scores", num_values=3), seen([1, 2, 3], [1, 2], [1, 2, 3, 4, 5])).why_left_out or ""
    assert "2 to 5 numbers" in why
    assert "`field: scores[0:2]`" in why


def test_a_damaged_message_among_many_does_not_leave_a_field_out() -> None:
    rows = [[1.0, 2.0]] * 99 + [[1.0]]
    refined = refine(choice(num_values=2), seen(*rows))
    assert refined.why_left_out is None
    assert refined.valid_share == pytest.approx(0.99)


@pytest.mark.parametrize("offset", [0, np.pi])
def test_an_angle_that_leaps_at_its_seam_is_one(offset: float) -> None:
    turning = np.linspace(0, 20, 200)
    wrapped = (turning + np.pi) % (2 * np.pi) - np.pi + offset
    assert refine(choice(), column(wrapped)).rule == "angle"
    assert refine(choice(rule="angle"), column(wrapped)).rule == "angle"
    assert refine(choice(), column(turning)).rule == "linear"


def test_an_angle_in_degrees_is_never_interpolated_over_its_seam() -> None:
    heading = np.linspace(300, 420, 100) % 360
    assert refine(choice("heading", rule="angle"), column(heading)).rule == "nearest"
    assert refine(choice("heading", rule="angle"), column(np.linspace(90, 120, 50))).rule == "linear"


def test_noise_over_the_whole_range_is_no_angle() -> None:
    noise = np.random.default_rng(0).uniform(-np.pi, np.pi, 200)
    assert refine(choice(), column(noise)).rule == "linear"


def test_a_leap_between_runs_that_were_not_looked_at_whole_is_none() -> None:
    rows = [np.array([value]) for value in (3.0, 3.0, 3.0, -3.0, -3.0, -3.0)]
    assert measure_values(rows).has_seam
    assert not measure_values(rows, run_starts=[0, 3]).has_seam


def test_one_of_a_few_whole_numbers_is_a_state() -> None:
    states = np.repeat([0.0, 3.0, 1.0], 10)
    assert refine(choice("value"), column(states)).rule == "latest"
    assert refine(choice("speed"), column(states)).rule == "linear"  # a quantity, whole or not
    assert refine(choice("value"), column(np.ones(30))).rule == "linear"  # it never changes: nothing is known
    assert refine(choice("value"), column(states + 0.5)).rule == "linear"
