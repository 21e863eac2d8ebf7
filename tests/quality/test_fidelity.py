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
from bagmill.quality.fidelity import MAX_PSNR_DB, chroma_psnr_db, luma, luma_psnr_db, psnr_db, ssim


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


@given(pairs())
def test_every_number_is_the_plain_formulas(pair: tuple[NDArray[np.uint8], NDArray[np.uint8]]) -> None:
    source, stored = pair
    x, y = planes(source), planes(stored)
    luma_x, luma_y = luma(source), luma(stored)
    np.testing.assert_allclose(luma_x, x[0], atol=1e-3)
    assert luma_psnr_db(luma_x, luma_y) == pytest.approx(plain_psnr(x[0], y[0]), abs=1e-2)
    chroma = chroma_psnr_db(source, stored, source_luma=luma_x, stored_luma=luma_y)
    assert chroma == pytest.approx(plain_psnr(x[1:], y[1:]), abs=1e-2)
    assert ssim(luma_x, luma_y) == pytest.approx(plain_ssim(x[0], y[0]), abs=1e-4)


@settings(max_examples=20)
@given(hnp.arrays(np.uint8, (11, 9, 3)))
def test_equal_pictures_have_the_best_numbers(picture: NDArray[np.uint8]) -> None:
    fidelity = measure_fidelity([FrameSample(0, picture, picture.copy())])
    assert fidelity["jpeg_psnr"] == fidelity["jpeg_psnr_chroma"] == MAX_PSNR_DB
    assert fidelity["jpeg_ssim"] == pytest.approx(1, abs=1e-6)


def test_the_known_psnr_of_a_constant_error() -> None:
    gray = np.full((16, 16, 3), 100, np.uint8)
    brighter = gray + 5
    assert luma_psnr_db(luma(gray), luma(brighter)) == pytest.approx(20 * math.log10(255 / 5), abs=1e-4)
    # Gray stays gray: chroma is not touched, up to the last digit of a float32.
    assert chroma_psnr_db(gray, brighter, source_luma=luma(gray), stored_luma=luma(brighter)) > 99
    assert psnr_db(65025.0) == 0
    assert psnr_db(0.0) == MAX_PSNR_DB


def test_contrast_and_brightness_lower_ssim_as_the_paper_says() -> None:
    plane = luma(smooth(64, 64))
    assert ssim(plane, plane + np.float32(3)) > 0.99
    assert ssim(plane, np.full_like(plane, plane.mean())) < 0.5
    assert ssim(plane, 255 - plane) < 0


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
