"""Plots over many episodes and over nights, judged by where their marks are."""

import io

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from bagmill.previews import Ranges, Trend, histograms_plot, ranges_plot, trends_plot
from bagmill.previews.histograms import _binned

BLUE, RED, PALE = (31, 119, 180), (214, 39, 40), (174, 199, 232)
LEFT, RIGHT, TOP, BOTTOM = 58, 308, 16, 116
"""Of a panel's frame."""


def _pixels(png: bytes) -> NDArray[np.int_]:
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return np.asarray(picture.convert("RGB")).astype(int)


def _is(pixels: NDArray[np.int_], colour: tuple[int, int, int]) -> NDArray[np.bool_]:
    return (np.abs(pixels - colour) <= 12).all(axis=-1)


def test_the_heights_of_bars_are_in_the_ratio_of_the_counts() -> None:
    values = np.repeat([0.0, 10.0], [100, 50])
    pixels = _pixels(histograms_plot({"duration, s": values}))
    heights = _is(pixels, BLUE)[:, :320].sum(axis=0)
    first, last = heights[LEFT : LEFT + 40].max(), heights[RIGHT - 40 : RIGHT].max()
    assert first == pytest.approx(2 * last, abs=3)
    assert not heights[LEFT + 60 : RIGHT - 60].any()


def test_a_single_episode_among_thousands_is_seen() -> None:
    values = np.append(np.linspace(0, 10, 100_000), 14.0)
    heights = _is(_pixels(histograms_plot({"x": values})), BLUE)[:, :320].sum(axis=0)
    assert 0 < heights[RIGHT - 20 : RIGHT].max() <= 3


@pytest.mark.parametrize("far", [1e9, np.inf])
def test_what_is_far_out_is_counted_and_does_not_stretch_the_axis(far: float) -> None:
    values = np.append(np.linspace(0, 10, 100), [far, far, -far, np.nan])
    counts, edges, num_below, num_above = _binned(values)
    assert (counts.sum(), edges[0], edges[-1], num_below, num_above) == (100, 0.0, 10.0, 1, 2)


@pytest.mark.parametrize("values", [np.empty(0), np.full(3, np.nan), np.full(3, np.inf), np.full(3, 5.0)])
def test_odd_values_are_drawn_as_well(values: NDArray[np.float64]) -> None:
    assert _pixels(histograms_plot({"x": values})).shape == (150, 640, 3)


def test_panels_stand_two_in_a_row() -> None:
    assert _pixels(histograms_plot({str(n): np.arange(9.0) for n in range(5)})).shape == (450, 640, 3)


def test_bars_reach_from_low_to_high_and_lines_beyond() -> None:
    least, low, mean, high, greatest = (np.array([value, np.nan]) for value in (0.0, 2.0, 3.0, 4.0, 10.0))
    pixels = _pixels(ranges_plot({"state, rad": Ranges(least, low, mean, high, greatest)}))[:, :320]
    is_bar = _is(pixels, BLUE)
    columns = np.flatnonzero(is_bar.any(axis=0))
    # The second dimension has no values, and nothing is drawn for it.
    assert columns.max() < (LEFT + RIGHT) // 2
    middle = int(columns.mean().round())
    is_line = _is(pixels[TOP + 1 : BOTTOM, middle], (0, 0, 0))
    # A fifth of the range, the line the rest of it.
    assert is_bar[:, columns[0]].sum() == pytest.approx(is_line.sum() / 4, abs=2)


@pytest.mark.parametrize("num", [1, 2, 14, 600])
def test_features_of_any_number_of_dimensions_are_drawn(num: int) -> None:
    values = np.linspace(-1, 1, num)
    pixels = _pixels(ranges_plot({"state": Ranges(values - 1, values - 0.5, values, values + 0.5, values + 1)}))
    assert _is(pixels, BLUE).any()


def test_a_trend_goes_where_its_values_go_and_the_last_night_is_red() -> None:
    days = -np.arange(9, -1, -1.0)
    values = np.linspace(0, 9, 10)
    pixels = _pixels(trends_plot(days, [Trend("skew, ms", values, values - 1, values + 1)]))[:, :320]
    red_rows, red_columns = np.nonzero(_is(pixels, RED))
    assert red_columns.mean() == pytest.approx(LEFT + 250 * 9.45 / 9.9, abs=2)
    assert red_rows.mean() == pytest.approx(BOTTOM - 100 * (9 + 1 + 0.55) / 12.1, abs=2)
    rows, columns = np.nonzero(_is(pixels, BLUE))
    assert np.polyfit(columns, rows, 1)[0] == pytest.approx(-(100 / 12.1) / (250 / 9.9), rel=0.05)
    assert _is(pixels, PALE).any()


def test_a_night_without_a_number_has_no_dot() -> None:
    days = np.array([-2.0, -1.0, 0.0])
    pixels = _pixels(trends_plot(days, [Trend("x", np.array([1.0, 2.0, np.nan]))]))
    assert _is(pixels, BLUE).any()
    assert not _is(pixels, RED).any()


@pytest.mark.parametrize("value", [5.0, np.nan, np.inf])
def test_a_first_night_alone_is_drawn(value: float) -> None:
    values = np.array([value])
    assert _pixels(trends_plot(np.zeros(1), [Trend("x", values, values, values)])).shape == (150, 640, 3)
