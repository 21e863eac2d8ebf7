"""Moments of values in pieces, against NumPy's over all of them at once."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bagmill.normalisation.moments import Moments


@given(st.lists(st.integers(0, 50), min_size=1, max_size=8), st.sampled_from([0.0, 1e3, 1e9]), st.integers(0, 99))
def test_pieces_are_as_good_as_the_whole(sizes: list[int], offset: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    pieces = [rng.normal(offset, 1, (size, 3)) for size in sizes]
    moments = Moments(3)
    for piece in pieces:
        moments.add(piece)

    whole = np.concatenate(pieces)
    assert moments.count.tolist() == [len(whole)] * 3
    if len(whole):
        np.testing.assert_allclose(moments.mean, whole.mean(axis=0), rtol=1e-13, atol=1e-13)
        np.testing.assert_allclose(moments.std, whole.std(axis=0), rtol=1e-6, atol=1e-12)
        assert moments.min.tolist() == whole.min(axis=0).tolist()
        assert moments.max.tolist() == whole.max(axis=0).tolist()
    else:
        assert np.isnan(moments.mean).all()
        assert np.isnan(moments.std).all()


def test_a_large_mean_hides_no_deviation() -> None:
    """Squares summed by themselves would give 0 or nothing like it."""
    values = 1e8 + np.tile([[0.0], [1.0]], (1000, 1))
    moments = Moments(1)
    for piece in np.split(values, 20):
        moments.add(piece)

    assert moments.std[0] == pytest.approx(0.5, rel=1e-9)


def test_what_is_not_finite_and_what_is_missing() -> None:
    moments = Moments(3)
    moments.add(np.array([[1.0, np.nan], [3.0, np.inf]], np.float32))
    moments.add(np.array([[5.0, 4.0, 9.0]], np.float32))

    assert moments.count.tolist() == [3, 1, 1]
    assert moments.num_left_out.tolist() == [0, 2, 0]
    assert moments.mean.tolist() == [3.0, 4.0, 9.0]
    assert moments.std[1:].tolist() == [0.0, 0.0]
