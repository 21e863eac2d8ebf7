"""Over which ranges features' values lie, dimension by dimension."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bagmill.previews.few_colours import few_colours_png
from bagmill.previews.legend import COLOURS
from bagmill.previews.panels import MAX_X_TICKS, MAX_Y_TICKS, panel, side_by_side
from bagmill.previews.plot_area import INK, Axis

_MOST_BAR_PIXELS: Final = 15
_LEAST_HALF_MARKED: Final = 2
"""Marks on bars that are narrower than that would be all that is seen."""


@dataclass(frozen=True, slots=True)
class Ranges:
    """Of one feature's values, each (D,); nan where a dimension has none."""

    least: NDArray[np.float64]
    low: NDArray[np.float64]
    """Only a few values lie below."""
    mean: NDArray[np.float64]
    high: NDArray[np.float64]
    """Only a few values lie above."""
    greatest: NDArray[np.float64]


def ranges_plot(subjects: Mapping[str, Ranges]) -> bytes:
    """Plot ranges, a panel a feature: a bar from `low` to `high`, a line from `least` to `greatest`, a mark at the mean.

    A line far longer than its bar is what makes scaling by least and greatest a bad choice.

    Args:
        subjects: Title with unit → ranges; at least one.

    Returns:
        PNG.
    """
    picture = side_by_side([_panel(title, ranges) for title, ranges in subjects.items()])
    return few_colours_png(picture, num_colours=32, is_optimized=True)


def _panel(title: str, ranges: Ranges) -> Image.Image:
    num = len(ranges.mean)
    step = -(-num // MAX_X_TICKS)
    dimensions = Axis(-0.5, num - 0.5, tuple(float(n) for n in range(0, num, step)), 0)
    picture, area = panel(dimensions, Axis.over(np.concatenate((ranges.least, ranges.greatest)), max_ticks=MAX_Y_TICKS))
    pen = ImageDraw.Draw(picture)
    half = min(_MOST_BAR_PIXELS, (area.right - area.left) // num // 2) // 2
    for n in np.flatnonzero(np.isfinite(ranges.least) & np.isfinite(ranges.greatest)).tolist():
        column = int(area.columns(float(n)))
        pen.line((column, int(area.rows(ranges.greatest[n])), column, int(area.rows(ranges.least[n]))), fill=INK)
        top, bottom = int(area.rows(ranges.high[n])), int(area.rows(ranges.low[n]))
        pen.rectangle((column - half, top, column + half, bottom), fill=COLOURS[0])
        if half >= _LEAST_HALF_MARKED:
            row = int(area.rows(ranges.mean[n]))
            pen.line((column - half - 2, row, column + half + 2, row), fill=INK)
    area.draw(picture, x_title=title, y_title="value")
    return picture
