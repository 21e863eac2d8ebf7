import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from bagmill.exports.lerobot.statistics import (
    aggregate,
    histogram_statistics,
    picture_histogram,
    plain_statistics,
    value_statistics,
)

QUANTILES = {"q01": 0.01, "q10": 0.1, "q50": 0.5, "q90": 0.9, "q99": 0.99}


def test_of_values():
    values = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)

    found = value_statistics(values)

    numbers = values.astype(float)
    np.testing.assert_allclose(found["mean"], numbers.mean(0))
    np.testing.assert_allclose(found["std"], numbers.std(0))
    for name, share in QUANTILES.items():
        np.testing.assert_allclose(found[name], np.quantile(numbers, share, axis=0))
    assert found["count"].tolist() == [50]


def test_numbers_that_are_not_finite_are_left_out_each_by_itself():
    found = value_statistics(np.array([[1.0, 2], [np.nan, 5], [3, np.inf], [3, 4]]))

    assert (found["min"].tolist(), found["max"].tolist(), found["count"].tolist()) == ([1, 2], [3, 5], [4])
    np.testing.assert_allclose(found["mean"], [7 / 3, 11 / 3])
    np.testing.assert_allclose(found["q50"], [3, 4])
    assert value_statistics(np.full((3, 2), np.nan))["mean"].tolist() == [0, 0]


def test_a_column_of_which_an_episode_says_nothing_is_taken_from_the_others():
    scans = [np.array([[np.inf, 8.0], [np.inf, 9.0]]), np.array([[5.0, 7.0], [np.inf, 7.0], [6.0, np.inf]])]

    found = aggregate([value_statistics(each) for each in scans])

    assert (found["min"].tolist(), found["max"].tolist()) == ([5, 7], [6, 9])
    np.testing.assert_allclose(found["mean"], [5.5, 31 / 4])
    np.testing.assert_allclose(found["std"], [0.5, np.std([8, 9, 7, 7])])
    assert plain_statistics(found)["count"] == [5]
    assert "num_finite" not in plain_statistics(value_statistics(scans[0]))
    assert aggregate([value_statistics(scans[0])])["max"].tolist() == [0, 9]


@given(arrays(np.uint8, st.tuples(st.integers(1, 12), st.integers(1, 12), st.just(3))))
def test_of_pictures(picture: np.ndarray):
    found = histogram_statistics(picture_histogram(picture), num_pictures=1)

    pixels = picture.reshape(-1, 3) / 255
    for name, expected in (
        ("mean", pixels.mean(0)),
        ("std", pixels.std(0)),
        ("min", pixels.min(0)),
        ("max", pixels.max(0)),
        *((name, np.quantile(pixels, share, axis=0, method="inverted_cdf")) for name, share in QUANTILES.items()),
    ):
        assert found[name].shape == (3, 1, 1)
        np.testing.assert_allclose(found[name].reshape(3), expected, atol=1e-7)


def test_large_pictures_are_thinned():
    picture = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)

    histogram = picture_histogram(picture)

    assert histogram.sum(axis=1).tolist() == [120 * 160] * 3
    np.testing.assert_array_equal(histogram[1], np.bincount(picture[::4, ::4, 1].reshape(-1), minlength=256))


@pytest.mark.parametrize("lengths", [(10,), (3, 40, 7)])
def test_of_episodes_together(lengths: tuple[int, ...]):
    rng = np.random.default_rng(1)
    episodes = [rng.normal(n, 1 + n, (length, 2)) for n, length in enumerate(lengths)]

    found = aggregate([value_statistics(each) for each in episodes])

    whole = np.concatenate(episodes)
    np.testing.assert_allclose(found["mean"], whole.mean(0))
    np.testing.assert_allclose(found["std"], whole.std(0))
    np.testing.assert_array_equal(found["min"], whole.min(0))
    np.testing.assert_array_equal(found["max"], whole.max(0))
    assert plain_statistics(found)["count"] == [sum(lengths)]
    of_each = [np.quantile(each, 0.9, axis=0) for each in episodes]
    np.testing.assert_allclose(found["q90"], np.average(of_each, axis=0, weights=lengths))
