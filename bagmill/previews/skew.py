"""Skew of every feature over time."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bagmill.alignment import Timeline
from bagmill.episodes import Episode
from bagmill.previews.few_colours import MAX_PLOT_BYTES, few_colours_png
from bagmill.previews.legend import COLOURS, draw_legend
from bagmill.previews.plot_area import PAPER, Axis, PlotArea
from bagmill.previews.thinning import MAX_BUCKETS, bucket_starts, seconds_of, thinned

_X_TICKS, _Y_TICKS = 9, 8
_MARK_HEIGHT: Final = 7
_DOT: Final = ((0.1, 0.5, 0.1), (0.5, 1.0, 0.5), (0.1, 0.5, 0.1))
"""How much of a dot's colour its pixels take: a disc two pixels wide."""


def skew_plot(
    source: Timeline | Episode, *, width: int = 640, height: int = 200, max_bytes: int = MAX_PLOT_BYTES
) -> bytes:
    """Plot how far every feature's messages lie from the ticks they feed.

    Within a pixel's worth of ticks the lowest and the highest skew are drawn, so that no outlier is lost. Ticks without a
    message are marked below the dots, in the colour of their feature.

    Args:
        source: A timeline or an episode.
        width: Pixels.
        height: Pixels.
        max_bytes: More ticks share a pixel until it fits, as far as that helps.

    Returns:
        PNG.
    """
    for max_buckets in (MAX_BUCKETS, MAX_BUCKETS // 2, MAX_BUCKETS // 4, MAX_BUCKETS // 8):
        plot = _draw(source, width, height, max_buckets=max_buckets)
        if len(plot) <= max_bytes:
            break
    return plot


def _draw(source: Timeline | Episode, width: int, height: int, *, max_buckets: int) -> bytes:
    seconds = seconds_of(source.time_ns)
    valid = {name: _valid(source, name) for name in source.features}
    dots = {
        name: thinned(seconds, np.where(is_valid, source.skew_ns(name) / 1e6, np.nan), max_buckets=max_buckets)
        for name, is_valid in valid.items()
    }
    skews_ms = np.concatenate([skew_ms for _, skew_ms in dots.values()]) if dots else np.empty(0)
    area = PlotArea(
        left=round(0.08 * width),
        top=round(0.04 * height),
        right=round(0.78 * width),
        bottom=round(0.81 * height),
        x_axis=Axis.over(seconds, max_ticks=_X_TICKS),
        y_axis=Axis.over(skews_ms, max_ticks=_Y_TICKS),
    )
    picture = Image.new("RGB", (width, height), PAPER)
    area.draw_level(picture, 0.0)
    pixels = np.array(picture)
    for n, name in enumerate(source.features):
        _draw_dots(pixels, area, *dots[name], colour=COLOURS[n % len(COLOURS)])
        gaps = bucket_starts(~valid[name], max_buckets=max_buckets)
        _draw_gaps(pixels, area, seconds[gaps], place=n % len(COLOURS))
    picture = Image.fromarray(pixels)
    area.draw(picture, x_title="time, s    ( | : no message within the tolerance)", y_title="skew, ms")
    draw_legend(picture, area, list(source.features))
    return few_colours_png(picture, num_colours=64, is_optimized=False)


def _draw_dots(
    pixels: NDArray[np.uint8],
    area: PlotArea,
    seconds: NDArray[np.float64],
    skew_ms: NDArray[np.float64],
    *,
    colour: tuple[int, int, int],
) -> None:
    """Dots, not lines: lines of several jittering features would hide each other."""
    is_there = ~np.isnan(skew_ms)
    columns, rows = area.columns(seconds[is_there]), area.rows(skew_ms[is_there])
    cover = np.zeros(pixels.shape[:2])
    for down, shares in enumerate(_DOT, -1):
        for right, share in enumerate(shares, -1):
            place = (rows + down, columns + right)
            cover[place] = np.maximum(cover[place], share)
    touched = np.divmod(np.flatnonzero(cover > 0), pixels.shape[1])
    share_of = cover[touched][:, np.newaxis]
    pixels[touched] = np.rint(share_of * np.array(colour) + (1 - share_of) * pixels[touched])


def _draw_gaps(pixels: NDArray[np.uint8], area: PlotArea, seconds: NDArray[np.float64], *, place: int) -> None:
    # At a height of the frame's own, so that they are seen whatever the skew is.
    middle = round(area.bottom - (0.02 + 0.03 * place) * (area.bottom - area.top))
    top, bottom = max(area.top, middle - _MARK_HEIGHT // 2), min(area.bottom, middle + _MARK_HEIGHT // 2 + 1)
    columns = np.unique(np.clip(np.add.outer(area.columns(seconds), (0, 1)), area.left, area.right))
    pixels[top:bottom, columns] = COLOURS[place]


def _valid(source: Timeline | Episode, name: str) -> NDArray[np.bool_]:
    return source.features[name].is_valid if isinstance(source, Timeline) else source.valid(name)
