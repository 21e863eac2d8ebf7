"""Exact quantiles, against NumPy's over all values at once."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from bagmill.normalisation import QUANTILES
from bagmill.normalisation.quantiles import exact_quantiles, histogram_quantiles

FRACTIONS = (0.0, *QUANTILES, 1.0)


def _in_blocks(values: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (values[first : first + size] for first in range(0, len(values), size))


def _quantiles(values: np.ndarray, *, size: int = 1000) -> np.ndarray:
    count = np.isfinite(values).sum(axis=0)
    return exact_quantiles(lambda: _in_blocks(values, size), FRACTIONS, dtype=values.dtype, count=count)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_of_many_values(dtype: type) -> None:
    rng = np.random.default_rng(1)
    values = np.stack(
        [
            rng.normal(size=20_001),
            1e6 + rng.random(20_001),
            rng.integers(-2, 3, 20_001),
            np.zeros(20_001),
            rng.lognormal(0, 20, 20_001) * rng.choice([-1, 1], 20_001),
        ],
        axis=1,
    ).astype(dtype)

    np.testing.assert_allclose(
        _quantiles(values), np.quantile(values.astype(np.float64), FRACTIONS, axis=0), rtol=1e-14, atol=0
    )


@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.float64]),
        hnp.array_shapes(min_dims=2, max_dims=2, max_side=12),
        elements=st.floats(-(2.0**100), 2.0**100, width=32),
    ),
    st.integers(1, 5),
)
def test_of_any_values(values: np.ndarray, size: int) -> None:
    expected = np.quantile(values.astype(np.float64), FRACTIONS, axis=0)

    np.testing.assert_allclose(_quantiles(values, size=size), expected, rtol=1e-12, atol=1e-45)


def test_ends_are_the_values_themselves() -> None:
    extremes = np.array([[np.finfo(np.float64).max], [5e-324], [-0.0], [np.finfo(np.float64).min]])

    found = _quantiles(extremes)

    assert found[0, 0] == np.finfo(np.float64).min
    assert found[-1, 0] == np.finfo(np.float64).max


def test_what_is_not_finite_is_left_out_of_its_dimension_alone() -> None:
    values = np.array([[1, np.nan, np.nan], [np.inf, 5, np.nan], [3, 7, -np.inf]], np.float32)

    found = _quantiles(values)

    np.testing.assert_allclose(found[:, 0], np.quantile([1.0, 3.0], FRACTIONS))
    np.testing.assert_allclose(found[:, 1], np.quantile([5.0, 7.0], FRACTIONS))
    assert np.isnan(found[:, 2]).all()


def test_of_histograms() -> None:
    rng = np.random.default_rng(2)
    pixels = np.stack([rng.integers(0, 256, 9_999), rng.binomial(255, 0.1, 9_999)], axis=1)
    counts = np.stack([np.bincount(channel, minlength=256) for channel in pixels.T])
    counts = np.concatenate([counts, np.zeros((1, 256), np.int64)])

    found = histogram_quantiles(counts, FRACTIONS)

    np.testing.assert_allclose(found[:, :2], np.quantile(pixels, FRACTIONS, axis=0), rtol=1e-14)
    assert np.isnan(found[:, 2]).all()
