"""Splits: the same for ever, and near the fractions asked for."""

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.dataset import assign_splits
from bagmill.errors import QueryError

FRACTIONS = {"train": 0.8, "val": 0.1, "test": 0.1}
NAMES = [f"day{n // 50}__run{n}.mcap" for n in range(10_000)]


def test_they_are_what_they_were() -> None:
    """Frozen: a change here would move test episodes into somebody's training data."""
    found = assign_splits(NAMES[:12], FRACTIONS)

    assert [name for name in found if name != "train"] == ["test", "test"]
    assert [n for n, name in enumerate(found) if name == "test"] == [0, 4]


def test_an_episode_is_where_its_hash_is() -> None:
    for name, split in zip(NAMES[:200], assign_splits(NAMES[:200], FRACTIONS, salt="s"), strict=True):
        place = int(hashlib.sha256(f"1:s{name}".encode()).hexdigest()[:16], 16) / 2**64
        assert split == ("train" if place < 0.8 else "val" if place < 0.9 else "test")


def test_about_as_many_as_asked_for() -> None:
    found = Counter(assign_splits(NAMES, FRACTIONS))

    # Three standard deviations of a binomial distribution.
    assert found["train"] == pytest.approx(8_000, abs=120)
    assert found["val"] == pytest.approx(1_000, abs=90)
    assert found["test"] == pytest.approx(1_000, abs=90)


@given(st.lists(st.text(max_size=8), unique=True, max_size=40), st.lists(st.text(max_size=8), max_size=20))
def test_what_is_added_moves_nothing(known: list[str], added: list[str]) -> None:
    before = dict(zip(known, assign_splits(known, FRACTIONS), strict=True))
    everything = sorted({*known, *added})

    after = dict(zip(everything, assign_splits(everything, FRACTIONS), strict=True))

    assert {name: after[name] for name in known} == before


def test_a_smaller_train_only_loses_episodes() -> None:
    before = assign_splits(NAMES, FRACTIONS)
    after = assign_splits(NAMES, {"train": 0.7, "val": 0.2, "test": 0.1})

    moves = Counter(zip(before, after, strict=True))
    assert set(moves) == {("train", "train"), ("train", "val"), ("val", "val"), ("test", "test")}


def test_another_salt_is_another_division() -> None:
    one, other = (assign_splits(NAMES, {"a": 0.5, "b": 0.5}, salt=salt) for salt in ("", "second"))

    together = sum(x == y for x, y in zip(one, other, strict=True))
    assert together == pytest.approx(5_000, abs=150)


def test_salt_and_key_do_not_run_together() -> None:
    many = {f"s{n}": 1 / 64 for n in range(64)}
    assert assign_splits(["bc"] * 20, many, salt="a") != assign_splits(["c"] * 20, many, salt="ab")


@pytest.mark.parametrize(
    ("fractions", "expected"),
    [
        ({"all": 1.0}, {"all"}),
        ({"none": 0, "all": 1, "nothing": 0}, {"all"}),
        ({"a": 0.3, "b": 0.3, "c": 0.4}, set("abc")),
    ],
)
def test_the_range_is_covered(fractions: dict[str, float], expected: set[str]) -> None:
    assert set(assign_splits(NAMES, fractions)) == expected


def test_numbers_are_keys_as_well() -> None:
    assert assign_splits([7, 8, 7], FRACTIONS) == assign_splits(["7", "8", "7"], FRACTIONS)


@pytest.mark.parametrize(
    ("fractions", "problem"),
    [
        ({"train": 0.8, "val": 0.1}, "the fractions of train, val are 0.9 together"),
        ({}, "no split"),
        ({"train": 1.5, "val": -0.5}, "the split train has the fraction 1.5"),
        ({"train": float("nan")}, "fraction nan"),
        ({"a b": 1.0}, "'a b' is no name for a split"),
    ],
)
def test_what_divides_nothing(fractions: dict[str, float], problem: str) -> None:
    with pytest.raises(QueryError, match=problem):
        assign_splits(NAMES, fractions)
