"""A picture's statistics against NumPy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from bagmill.quality import FrameSample


@given(hnp.arrays(np.uint8, (9, 12, 3)))
def test_brightness_is_that_of_the_source(picture: NDArray[np.uint8]) -> None:
    sample = FrameSample(0, picture, np.zeros_like(picture))
    plane = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    assert sample.picture.mean_luma == pytest.approx(plane.mean(), abs=1e-3)
    # The root of a variance that float32 leaves at a thousandth.
    assert sample.picture.luma_spread == pytest.approx(plane.std(), abs=0.1)


def test_white_is_250_and_above() -> None:
    picture = np.full((10, 10, 3), 249, np.uint8)
    picture[0] = 250
    picture[1] = 255
    sample = FrameSample(0, picture, picture)
    assert sample.picture.white_share == pytest.approx(0.2)


def test_statistics_are_made_once() -> None:
    picture = np.full((10, 10, 3), 100, np.uint8)
    sample = FrameSample(0, picture, picture)
    assert sample.picture is sample.picture
