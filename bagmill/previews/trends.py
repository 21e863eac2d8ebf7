"""How numbers went from night to night."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bagmill.previews.few_colours import few_colours_png
from bagmill.previews.legend import COLOURS
from bagmill.previews.panels import MAX_X_TICKS, MAX_Y_TICKS, panel, side_by_side
from bagmill.previews.plot_area import INK, Axis, font

_TITLE_SIZE: Final = 10
_DOT: Final = 2
"""A dot's radius, pixels."""
_EARLIER, _LAST = COLOURS[0], COLOURS[3]
_BAR: Final = (174, 199, 232)


@dataclass(frozen=True, slots=True)
class Trend:
    """One number a night, and where it has one, the spread it stands for."""

    title: str
    """With its unit."""
    values: NDArray[np.float64]
    """(N,), the last night at the end; nan: none that night."""
    lows: NDArray[np.float64] | None = None
    """(N,): the low end of the spread."""
    highs: NDArray[np.float64] | None = None
    """(N,): the high end of the spread."""


def trends_plot(days: NDArray[np.float64], trends: Sequence[Trend]) -> bytes:
    """Plot numbers over nights, a panel each; the last night has another colour.

    Args:
        days: (N,): of each night, relative to the last one: zero at the end, negative before.
        trends: At least one.

    Returns:
        PNG.
    """
    picture = side_by_side([_panel(days, trend) for trend in trends])
    return few_colours_png(picture, num_colours=32, is_optimized=True)


def _panel(days: NDArray[np.float64], trend: Trend) -> Image.Image:
    shown = [trend.values, *(ends for ends in (trend.lows, trend.highs) if ends is not None)]
    # A lone night stands at the right, as the last of several does.
    picture, area = panel(
        Axis.over(np.append(days, -1.0), max_ticks=MAX_X_TICKS),
        Axis.over(np.concatenate(shown), max_ticks=MAX_Y_TICKS),
    )
    pen = ImageDraw.Draw(picture)
    columns = area.columns(days)
    if trend.lows is not None and trend.highs is not None:
        for n in np.flatnonzero(np.isfinite(trend.lows) & np.isfinite(trend.highs)):
            column = int(columns[n])
            top, bottom = int(area.rows(trend.highs[n])), int(area.rows(trend.lows[n]))
            pen.rectangle((column - 1, top, column + 1, bottom), fill=_BAR)
    known = np.flatnonzero(np.isfinite(trend.values))
    places = [(int(columns[n]), int(area.rows(trend.values[n]))) for n in known]
    if len(places) > 1:
        pen.line(places, fill=_EARLIER)
    for n, (column, row) in zip(known, places, strict=True):
        colour = _LAST if n == len(days) - 1 else _EARLIER
        pen.ellipse((column - _DOT, row - _DOT, column + _DOT, row + _DOT), fill=colour)
    area.draw(picture, x_title="days before this night" if len(days) > 1 else "this night", y_title="")
    pen.text((area.left, area.top - 3), trend.title, fill=INK, font=font(_TITLE_SIZE), anchor="ls")
    return picture
