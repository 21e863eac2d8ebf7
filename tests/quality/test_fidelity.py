"""PSNR and SSIM against the formulas written out plainly."""

import math
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray
from PIL import Image

from bagmill.quality import FrameSample, measure_fidelity
from bagmill.quality.fidelity import MAX_PSNR_DB, psnr_db
from bagmill.quality.picture import PictureStatistics


def planes(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Y, Cb, Cr (3, H, W) by the matrix of T.871."""
    to_ycc = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    return np.einsum("ij,hwj->ihw", to_ycc, rgb.astype(np.float64))


def plain_psnr(source: NDArray[np.float64], stored: NDArray[np.float64]) -> float:
    error = float(np.mean((source - stored) ** 2))
    return MAX_PSNR_DB if error == 0 else min(MAX_PSNR_DB, 10 * math.log10(255**2 / error))


def plain_ssim(x: NDArray[np.float64], y: NDArray[np.float64]) -> float:
    """Window by window: equation 13, moments as NumPy has them."""
    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    height, width = x.shape
    size = (8, 8) if min(height, width) >= 8 else (height, width)
    values = []
    for top in range(0, height - size[0] + 1, 4):
        for left in range(0, width - size[1] + 1, 4):
            a = x[top : top + size[0], left : left + size[1]].ravel()
            b = y[top : top + size[0], left : left + size[1]].ravel()
            covariance = float(np.mean((a - a.mean()) * (b - b.mean())))
            luminance = (2 * a.mean() * b.mean() + c1) / (a.mean() ** 2 + b.mean() ** 2 + c1)
            values.append(luminance * (2 * covariance + c2) / (a.var() + b.var() + c2))
    return float(np.mean(values))


def jpeg(rgb: NDArray[np.uint8], *, quality: int, subsampling: int = 0) -> NDArray[np.uint8]:
    file = BytesIO()
    Image.fromarray(rgb).save(file, "jpeg", quality=quality, subsampling=subsampling)
    return np.asarray(Image.open(file))


def smooth(height: int, width: int) -> NDArray[np.uint8]:
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / 5), np.sin(y / 7), np.sin((x + y) / 9)]
    return np.asarray(128 + 100 * np.stack(waves, axis=-1), dtype=np.uint8)


@st.composite
def pairs(draw: st.DrawFn) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    height, width = draw(st.integers(1, 29)), draw(st.integers(1, 29))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    source = rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    noise = draw(st.sampled_from([0, 1, 6, 255]))
    stored = np.clip(source.astype(int) + rng.integers(-noise, noise + 1, source.shape), 0, 255).astype(np.uint8)
    return source, stored


def assert_plain(source: NDArray[np.uint8], stored: NDArray[np.uint8]) -> None:
    x, y = planes(source), planes(stored)
    measured = PictureStatistics.of(source, stored)
    assert measured.luma_psnr_db == pytest.approx(plain_psnr(x[0], y[0]), abs=1e-3)
    assert measured.chroma_psnr_db == pytest.approx(plain_psnr(x[1:], y[1:]), abs=1e-2)
    assert measured.ssim == pytest.approx(plain_ssim(x[0], y[0]), abs=1e-5)


@given(pairs())
def test_every_number_is_the_plain_formulas(pair: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
    assert_plain(*pair)


@pytest.mark.parametrize(
    "shape",
    [(3, 44_000), (7, 40_000), (9, 40_001), (203, 1291), (410, 642)],
    ids=lambda shape: "×".join(map(str, shape)),
)
def test_pictures_of_several_bands(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(3)
    source = rng.integers(0, 256, (*shape, 3), dtype=np.uint8)
    # Worse towards the lower right, so that a row or column left out or taken twice changes every number.
    noise = rng.normal(size=source.shape) * np.linspace(0, 40, shape[0])[:, None, None]
    noise *= np.linspace(0, 1, shape[1])[:, None]
    assert_plain(source, np.clip(source + noise, 0, 255).astype(np.uint8))


def test_a_smaller_picture_after_a_larger_one_is_measured_as_if_alone() -> None:
    for height, width in ((64, 80), (16, 80), (8, 8), (5, 80), (64, 80)):
        picture = smooth(height, width)
        assert_plain(picture, jpeg(picture, quality=40))


@settings(max_examples=20)
@given(hnp.arrays(np.uint8, (11, 9, 3)))
def test_equal_pictures_have_the_best_numbers(picture: NDArray[np.uint8]) -> None:
    fidelity = measure_fidelity([FrameSample(0, picture, picture.copy())])
    assert fidelity["jpeg_psnr"] == fidelity["jpeg_psnr_chroma"] == MAX_PSNR_DB
    assert fidelity["jpeg_ssim"] == pytest.approx(1, abs=1e-6)


def test_the_known_psnr_of_a_constant_error() -> None:
    gray = np.full((16, 16, 3), 100, np.uint8)
    measured = PictureStatistics.of(gray, gray + np.uint8(5))
    assert measured.luma_psnr_db == pytest.approx(20 * math.log10(255 / 5), abs=1e-4)
    # Gray stays gray: chroma is not touched, up to the last digit of a float32.
    assert measured.chroma_psnr_db > 99
    assert psnr_db(65025.0) == 0
    assert psnr_db(0.0) == MAX_PSNR_DB


def test_contrast_and_brightness_lower_ssim_as_the_paper_says() -> None:
    gray = np.repeat(smooth(64, 64)[..., :1], 3, axis=2)
    assert PictureStatistics.of(gray, gray + np.uint8(3)).ssim > 0.99
    assert PictureStatistics.of(gray, np.full_like(gray, round(gray.mean()))).ssim < 0.5
    assert PictureStatistics.of(gray, 255 - gray).ssim < 0


def test_thinned_chroma_costs_chroma_and_hardly_luma() -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (48, 64, 3), dtype=np.uint8)
    whole = measure_fidelity([FrameSample(0, noise, jpeg(noise, quality=95))])
    thinned = measure_fidelity([FrameSample(0, noise, jpeg(noise, quality=95, subsampling=2))])
    assert thinned["jpeg_psnr_chroma"] < 20
    assert whole["jpeg_psnr_chroma"] > 34
    assert abs(thinned["jpeg_psnr"] - whole["jpeg_psnr"]) < 1


def test_less_jpeg_quality_lowers_every_number() -> None:
    picture = smooth(48, 64)
    numbers = [measure_fidelity([FrameSample(0, picture, jpeg(picture, quality=q))]) for q in (95, 60, 10)]
    for name in ("jpeg_psnr", "jpeg_psnr_chroma", "jpeg_ssim"):
        best, middle, worst = (fidelity[name] for fidelity in numbers)
        assert best > middle > worst


def test_the_worst_sample_counts_and_none_give_nothing() -> None:
    picture = smooth(32, 32)
    good = FrameSample(0, picture, jpeg(picture, quality=95))
    bad = FrameSample(1, picture, jpeg(picture, quality=10))
    assert measure_fidelity([good, bad]) == measure_fidelity([bad])
    assert measure_fidelity([]) == {}
