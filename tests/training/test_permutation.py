import hashlib
import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.training.permutation import Permutation
from tests.training.test_keyed import plain_scramble

MASK = (1 << 64) - 1


def plain_permutation(size: int, position: int, *, content: str) -> int:
    """The same network, one position at a time in Python's integers."""
    low = math.isqrt(size - 1) + 1
    high = -(-size // low)
    digest = hashlib.blake2b(content.encode(), salt=(0).to_bytes(4, "little")).digest()
    keys = [int.from_bytes(digest[n : n + 8], "little") for n in range(0, 64, 8)]
    while True:
        b, a = divmod(position, low)
        for n in range(0, 8, 2):
            a = (a + plain_scramble((b + keys[n]) & MASK)) % low
            b = (b + plain_scramble((a + keys[n + 1]) & MASK)) % high
        position = b * low + a
        if position < size:
            return position


@given(st.integers(0, 3000), st.integers(), st.integers(0, 1000))
def test_every_number_stands_at_one_position(size: int, seed: int, epoch: int):
    shuffled = Permutation(size, "order", seed, epoch)(np.arange(size))
    assert np.array_equal(np.sort(shuffled), np.arange(size))


@given(st.integers(1, 1 << 62), st.integers(-(1 << 70), 1 << 70), st.data())
def test_it_is_the_network_of_plain_integers(size: int, seed: int, data: st.DataObject):
    positions = data.draw(st.lists(st.integers(0, size - 1), max_size=8))
    found = Permutation(size, "order", seed, 3)(positions)
    assert found.tolist() == [plain_permutation(size, each, content=f"order:{seed}:3") for each in positions]


def test_the_order_of_today_is_the_order_of_tomorrow():
    """What a run recorded years ago has to be repeatable: these numbers may never change."""
    assert Permutation(10, "order", 0, 0)(np.arange(10)).tolist() == [8, 0, 9, 4, 5, 1, 6, 7, 2, 3]
    assert Permutation(1_000_000, "order", 7, 3)([0, 1, 999_999]).tolist() == [368940, 13444, 122759]


def test_positions_are_found_by_themselves_and_in_any_order():
    permutation = Permutation(1000, "order", 1)
    whole = permutation(np.arange(1000))
    picked = np.array([999, 3, 3, 500])
    assert np.array_equal(permutation(picked), whole[picked])
    assert permutation([]).shape == (0,)


def test_keys_and_purposes_give_unrelated_orders():
    orders = [
        Permutation(5000, purpose, *key)(np.arange(5000))
        for purpose, key in [("order", (1, 0)), ("order", (1, 1)), ("order", (2, 0)), ("mixture", (1, 0))]
    ]
    for n, first in enumerate(orders):
        for second in orders[n + 1 :]:
            assert abs(np.corrcoef(first, second)[0, 1]) < 5 / math.sqrt(5000)


def test_every_order_of_a_few_is_about_as_frequent():
    num_keys = 4800
    counts = Counter(tuple(Permutation(4, "order", key)(np.arange(4)).tolist()) for key in range(num_keys))
    assert len(counts) == math.factorial(4)
    expected = num_keys / len(counts)
    chi_squared = sum((count - expected) ** 2 / expected for count in counts.values())
    # Of 23 degrees of freedom: 49.7 is exceeded once in a thousand; keys 0 to 4799 are always these.
    assert chi_squared < 49.7


def test_neighbours_are_torn_apart():
    shuffled = Permutation(100_000, "order", 5)(np.arange(100_000))
    assert abs(np.corrcoef(shuffled[:-1], shuffled[1:])[0, 1]) < 5 / math.sqrt(100_000)
    # Of a random order a third of the range lies between two neighbours.
    assert np.abs(np.diff(shuffled)).mean() == pytest.approx(100_000 / 3, rel=0.02)


def test_a_position_that_is_none_is_noticed():
    with pytest.raises(AssertionError, match="outside"):
        Permutation(10, "order")([10])
    with pytest.raises(AssertionError, match="outside"):
        Permutation(10, "order")([-1])
