from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.errors import TrainingError
from bagmill.training.proportions import Proportions

WEIGHTS = st.lists(
    st.integers(1, 500) | st.floats(0.01, 9.0) | st.fractions(Fraction(1, 50), 9), min_size=1, max_size=6
)


@given(WEIGHTS, st.integers(0, 10**9))
def test_at_every_blocks_end_each_source_has_what_is_due_but_for_less_than_one(weights: list[float], block: int):
    proportions = Proportions(weights)
    due = proportions.due(block)
    num_draws = block * proportions.block_size
    assert due.sum() == num_draws
    for count, share in zip(due.tolist(), proportions.shares, strict=True):
        assert abs(count - num_draws * share) < 1
    assert (proportions.due(block + 1) - due).min() >= 1, "nobody gives back what was drawn, and each has a turn"


@given(WEIGHTS, st.integers(0, 20), st.integers(1, 3000))
def test_every_draw_of_every_source_comes_once(weights: list[float], seed: int, num_draws: int):
    proportions = Proportions(weights, seed=seed)
    sources, numbers = proportions.draws(np.arange(num_draws))
    whole_blocks = -(-num_draws // proportions.block_size)
    if whole_blocks * proportions.block_size < 10_000:
        all_sources, all_numbers = proportions.draws(np.arange(whole_blocks * proportions.block_size))
        for source in range(len(weights)):
            of_source = np.sort(all_numbers[all_sources == source])
            assert np.array_equal(of_source, np.arange(len(of_source)))
        assert np.array_equal(all_sources[:num_draws], sources)
    assert np.array_equal(np.bincount(sources, minlength=len(weights)), proportions.num_drawn(num_draws))
    backwards = proportions.draws(np.arange(num_draws)[::-1])
    assert np.array_equal(backwards[0][::-1], sources)
    assert np.array_equal(backwards[1][::-1], numbers)


def test_decimal_weights_are_taken_as_written_and_exact():
    proportions = Proportions([0.1, 0.2, 0.7])
    assert proportions.shares == (Fraction(1, 10), Fraction(1, 5), Fraction(7, 10))
    assert proportions.num_drawn(10_240).tolist() == [1024, 2048, 7168]
    assert Proportions(["1/3", 2 / 3]).shares[0] != Fraction(1, 3), "a float is no third"
    assert Proportions(["1/3", "2/3"]).shares == Proportions([1, 2]).shares == (Fraction(1, 3), Fraction(2, 3))


def test_blocks_grow_where_a_source_has_a_turn_in_thousands():
    rare = Proportions([1, 1e-5])
    assert rare.block_size >= 2 * 100_001
    assert rare.due(50)[1] == round(50 * rare.block_size / 100_001)
    assert Proportions([1, 1]).block_size == 1024


def test_turns_are_shuffled_within_a_block_and_differently_in_each():
    proportions = Proportions([1, 1], seed=4)
    sources, _ = proportions.draws(np.arange(4096))
    blocks = sources.reshape(4, 1024)
    assert (blocks.sum(axis=1) == 512).all()
    assert len({tuple(block) for block in blocks.tolist()}) == 4
    # As many changes from one draw to the next as chance has: half of them, with a deviation of 32.
    assert abs(int((np.diff(sources) != 0).sum()) - 2048) < 5 * 32
    assert not np.array_equal(Proportions([1, 1], seed=5).draws(np.arange(1024))[0], blocks[0])


@pytest.mark.parametrize(
    "weight", [0, -1, 0.0, float("nan"), float("inf"), "much", "1/0", None, "1e999999999", "1e-99999999"]
)
def test_what_is_no_weight_is_refused(weight: object):
    with pytest.raises(TrainingError, match="a mixture's weight is"):
        Proportions([1, weight])


def test_a_mixture_of_nothing_or_of_next_to_nothing_is_refused():
    with pytest.raises(TrainingError, match="no sources"):
        Proportions([])
    with pytest.raises(TrainingError, match="share of a mixture is 1e-13"):
        Proportions([1, 1e-13])
