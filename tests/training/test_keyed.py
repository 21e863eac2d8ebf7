import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bagmill.training.keyed import combine, derive_keys, scramble, uniform

MASK = (1 << 64) - 1


def plain_scramble(value: int) -> int:
    """SplitMix64's finaliser, in Python's integers."""
    value = ((value ^ (value >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    value = ((value ^ (value >> 27)) * 0x94D049BB133111EB) & MASK
    return value ^ (value >> 31)


@given(st.lists(st.integers(0, MASK), max_size=20))
def test_scrambling_is_that_of_splitmix64(values: list[int]):
    assert scramble(np.array(values, np.uint64)).tolist() == [plain_scramble(value) for value in values]


def test_the_first_numbers_of_splitmix64_are_those_of_its_published_sequence():
    # Seed 1234567, as Rosetta Code and the reference implementation print it.
    golden = 0x9E3779B97F4A7C15
    states = np.array([(1234567 + golden * n) & MASK for n in range(1, 6)], np.uint64)
    assert scramble(states).tolist() == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_keys_differ_by_purpose_and_by_every_number_and_stay_what_they_are():
    keys = [
        derive_keys("a", 1, 23),
        derive_keys("a", 12, 3),
        derive_keys("b", 1, 23),
        derive_keys("a", 1),
        derive_keys("a"),
    ]
    assert len({int(key[0]) for key in keys}) == len(keys)
    many = derive_keys("a", 1, 23, count=20)
    assert len(set(many.tolist())) == 20
    assert many[0] == keys[0][0]
    assert (
        derive_keys("order", -5, 1 << 80, count=2).tolist() == derive_keys("order", -5, 1 << 80, count=9)[:2].tolist()
    )


def test_uniform_numbers_fill_the_unit_interval_evenly_and_follow_from_their_key_alone():
    keys = combine(derive_keys("test", 0), np.arange(50_000))
    numbers = uniform(keys, 4)
    assert numbers.shape == (50_000, 4)
    assert numbers.min() >= 0
    assert numbers.max() < 1
    counts = np.stack([np.bincount((column * 20).astype(int), minlength=20) for column in numbers.T])
    # 2,500 a bin, of which the deviation is 49.
    assert np.abs(counts - 2500).max() < 5 * 49
    assert np.abs(np.corrcoef(numbers.T) - np.eye(4)).max() < 5 / np.sqrt(50_000)
    assert np.array_equal(uniform(keys[7:8], 4)[0], numbers[7])
    assert np.array_equal(uniform(keys[:9], 2), numbers[:9, :2])
