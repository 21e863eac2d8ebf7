"""A picture's statistics against NumPy's."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from bagmill.quality import FrameSample
from bagmill.quality.picture import PictureStatistics


@given(hnp.arrays(np.uint8, (9, 12, 3)))
def test_brightness_is_that_of_the_source(picture: NDArray[np.uint8]) -> None:
    sample = FrameSample(0, picture, np.zeros_like(picture))
    plane = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    assert sample.picture.mean_luma == pytest.approx(plane.mean(), abs=1e-3)
    # The root of a variance that float32 leaves at a thousandth.
    assert sample.picture.luma_spread == pytest.approx(plane.std(), abs=0.1)


def test_brightness_does_not_depend_on_how_it_is_stored() -> None:
    picture = np.random.default_rng(5).integers(0, 256, (300, 517, 3), dtype=np.uint8)
    as_is, worse = FrameSample(0, picture, picture.copy()).picture, FrameSample(0, picture, picture // 2).picture
    assert (as_is.mean_luma, as_is.luma_spread) == (worse.mean_luma, worse.luma_spread)
    assert as_is.white_share == worse.white_share
    plane = picture.astype(np.float64) @ [0.299, 0.587, 0.114]
    assert as_is.mean_luma == pytest.approx(plane.mean(), abs=1e-4)
    assert as_is.luma_spread == pytest.approx(plane.std(), abs=1e-3)


def test_pictures_are_measured_alike_from_many_threads() -> None:
    rng = np.random.default_rng(6)
    pictures = [rng.integers(0, 256, (64 + 16 * (n % 3), 96, 3), dtype=np.uint8) for n in range(24)]

    def measure(picture: NDArray[np.uint8]) -> PictureStatistics:
        return PictureStatistics.of(picture, picture ^ 3)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(measure, pictures)) == [measure(picture) for picture in pictures]


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
