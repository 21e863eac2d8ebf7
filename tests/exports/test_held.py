import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.exports.held import held_ticks


@pytest.mark.parametrize(
    ("valid", "held"),
    [
        ([1, 1, 1], [0, 1, 2]),
        ([0, 0, 1, 0, 1, 0], [2, 2, 2, 2, 4, 4]),
        ([1, 0, 0], [0, 0, 0]),
        ([0, 0, 1], [2, 2, 2]),
    ],
)
def test_the_last_valid_tick_stands(valid: list[int], held: list[int]):
    np.testing.assert_array_equal(held_ticks(np.array(valid, np.bool_)), held)


@given(st.lists(st.booleans(), min_size=1, max_size=40).filter(any))
def test_as_a_loop_says(valid: list[bool]):
    expected, last = [], valid.index(True)
    for tick, is_valid in enumerate(valid):
        last = tick if is_valid else last
        expected.append(last)

    assert held_ticks(np.array(valid)).tolist() == expected
