"""How numbers of many episodes are distributed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bagmill.previews.few_colours import few_colours_png
from bagmill.previews.legend import COLOURS
from bagmill.previews.panels import MAX_X_TICKS, MAX_Y_TICKS, panel, side_by_side
from bagmill.previews.plot_area import INK, Axis, PlotArea, font

_NUM_BINS: Final = 40
_MOST_QUARTILES: Final = 5.0
"""Values farther than so many times the distance of the quartiles from either of them are counted, not shown."""
_NOTE_SIZE: Final = 9


def histograms_plot(subjects: Mapping[str, NDArray[np.float64]]) -> bytes:
    """Plot how values are distributed, a histogram a subject.

    A few values far from all others do not stretch an axis: how many lie beyond either end is written there.

    Args:
        subjects: Title with unit → values (N,), nan left out; at least one subject.

    Returns:
        PNG.
    """
    picture = side_by_side([_panel(title, values) for title, values in subjects.items()])
    return few_colours_png(picture, num_colours=32, is_optimized=True)


def _panel(title: str, values: NDArray[np.float64]) -> Image.Image:
    counts, edges, num_below, num_above = _binned(values)
    picture, area = panel(
        Axis.over(edges, max_ticks=MAX_X_TICKS),
        Axis.over(np.array([0.0, counts.max(initial=1)]), max_ticks=MAX_Y_TICKS),
    )
    pen = ImageDraw.Draw(picture)
    zero, columns, tops = int(area.rows(0.0)), area.columns(edges), area.rows(counts.astype(np.float64))
    for n in np.flatnonzero(counts):
        # A single episode among thousands is still to be seen.
        top = min(int(tops[n]), zero - 2)
        pen.rectangle((int(columns[n]), top, max(int(columns[n]), int(columns[n + 1]) - 1), zero), fill=COLOURS[0])
    area.draw(picture, x_title=title, y_title="episodes")
    _draw_notes(pen, area, num_below, num_above, is_empty=not counts.any())
    return picture


def _draw_notes(pen: ImageDraw.ImageDraw, area: PlotArea, num_below: int, num_above: int, *, is_empty: bool) -> None:
    if is_empty:
        middle = (area.left + area.right) // 2, (area.top + area.bottom) // 2
        pen.text(middle, "not measured", fill=INK, font=font(_NOTE_SIZE), anchor="mm")
    if num_below:
        pen.text((area.left + 3, area.top - 3), f"{num_below} below", fill=INK, font=font(_NOTE_SIZE), anchor="ls")
    if num_above:
        pen.text((area.right, area.top - 3), f"{num_above} above", fill=INK, font=font(_NOTE_SIZE), anchor="rs")


def _binned(values: NDArray[np.float64]) -> tuple[NDArray[np.intp], NDArray[np.float64], int, int]:
    """Counts, edges, and how many values lie below the first and above the last edge."""
    known = values[~np.isnan(values)]
    finite = known[np.isfinite(known)]
    if not len(finite):
        return (
            np.zeros(1, np.intp),
            np.array([0.0, 1.0]),
            int(np.count_nonzero(known < 0)),
            int(np.count_nonzero(known > 0)),
        )
    quarter, three_quarters = np.percentile(finite, (25, 75))
    far = _MOST_QUARTILES * (three_quarters - quarter)
    is_shown = (finite >= quarter - far) & (finite <= three_quarters + far) if far > 0 else np.ones(len(finite), bool)
    counts, edges = np.histogram(finite[is_shown], bins=_NUM_BINS)
    return (
        counts,
        edges.astype(np.float64),
        int(np.count_nonzero(known < edges[0])),
        int(np.count_nonzero(known > edges[-1])),
    )
