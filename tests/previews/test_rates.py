"""The plot of rates: what is drawn where, judged by its pixels."""

import io

import numpy as np
import pytest
from PIL import Image

from bagmill.previews import RateSource, rates_plot

BLUE, ORANGE = (31, 119, 180), (255, 127, 14)
START_NS = 1_700_000_000_000_000_000
LEFT, TOP, RIGHT, BOTTOM = 51, 8, 499, 162


def _stamps(rate_hz: float, seconds: float, *, start_s: float = 0.0) -> np.ndarray:
    return START_NS + ((start_s + np.arange(round(rate_hz * seconds) + 1) / rate_hz) * 1e9).astype(np.int64)


def _places(data: bytes, colour: tuple[int, int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns of a colour within the plot."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    pixels = np.asarray(Image.open(io.BytesIO(data)).convert("RGB")).astype(int)
    rows, columns = np.nonzero(np.abs(pixels[TOP:BOTTOM, LEFT + 1 : RIGHT] - colour).sum(axis=2) < 40)
    return rows + TOP, columns + LEFT + 1


def _percent(row: float, *, top: float = 120.0) -> float:
    """The plot's axis reaches a twentieth of its length beyond 0 and `top`."""
    return (BOTTOM - row) / (BOTTOM - TOP) * 1.1 * top - 0.05 * top


def _column(second: float, *, seconds: float) -> float:
    return LEFT + (second / seconds + 0.05) / 1.1 * (RIGHT - LEFT)


def test_a_steady_channel_is_a_line_at_what_is_expected_of_it():
    for expected_rate_hz, percent in ((30.0, 100), (60.0, 50), (None, 100)):
        rows, columns = _places(rates_plot({"camera": RateSource(_stamps(30, 10), expected_rate_hz)}), BLUE)

        assert [_percent(row) for row in (rows.min(), rows.max())] == pytest.approx([percent] * 2, abs=2)
        assert columns.min() == pytest.approx(_column(0, seconds=10), abs=1.5)
        assert columns.max() == pytest.approx(_column(10, seconds=10), abs=1.5)


def test_a_silence_is_a_low_step_where_it_was():
    stamps = _stamps(30, 10)
    elapsed_s = (stamps - START_NS) / 1e9
    stalled = stamps[(elapsed_s < 4) | (elapsed_s > 6)]

    rows, columns = _places(rates_plot({"camera": RateSource(stalled, 30.0)}), BLUE)

    is_low = rows > rows.max() - 2
    # Four intervals, one of them of two seconds
    assert _percent(float(rows[is_low].mean())) == pytest.approx(100 * 4 / (30 * (2 + 3 / 30)), abs=3)
    assert columns[is_low].min() == pytest.approx(_column(4, seconds=10), abs=6)
    assert columns[is_low].max() == pytest.approx(_column(6, seconds=10), abs=6)


def test_a_channel_that_ends_early_does():
    sources = {
        "whole": RateSource(_stamps(30, 10), 30.0),
        "half": RateSource(_stamps(100, 5, start_s=1), 200.0),
    }

    rows, columns = _places(rates_plot(sources), ORANGE)

    assert _percent(float(np.median(rows))) == pytest.approx(50, abs=2)
    assert columns.min() == pytest.approx(_column(1, seconds=10), abs=1.5)
    assert columns.max() == pytest.approx(_column(6, seconds=10), abs=1.5)


def test_what_came_at_once_leaves_the_rest_its_room():
    stamps = _stamps(30, 10)
    stamps[100:120] = stamps[119] - np.arange(20)[::-1] * 1000

    rows, _ = _places(rates_plot({"camera": RateSource(stamps, 30.0)}), BLUE)

    assert _percent(float(rows.min()), top=200) == pytest.approx(200, abs=3)
    assert _percent(float(np.median(rows[rows > rows.min() + 60])), top=200) <= 105


@pytest.mark.parametrize("odd", [0, 1, np.iinfo(np.int64).min, np.iinfo(np.int64).max, START_NS - 10**18])
def test_a_stamp_of_another_time_does_not_squeeze_the_rest(odd: int):
    stamps = np.append(_stamps(30, 10), np.int64(odd))

    _, columns = _places(rates_plot({"camera": RateSource(stamps, 30.0)}), BLUE)

    assert columns.max() - columns.min() > 0.85 * (RIGHT - LEFT)


def test_there_is_a_plot_whatever_there_is():
    nothing, one = np.empty(0, np.int64), np.array([START_NS])
    for sources in (
        {},
        {"a": RateSource(nothing, 30.0)},
        {"a": RateSource(one, None)},
        {"a": RateSource(np.repeat(one, 50), 30.0)},
        {f"/a/rather/long/topic/{n}": RateSource(_stamps(30, 1 + n), None) for n in range(20)},
    ):
        data = rates_plot(sources)
        assert Image.open(io.BytesIO(data)).size == (640, 200)
        assert len(data) <= 8192
