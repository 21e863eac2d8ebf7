"""The rate of every channel over time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from bagmill.previews.few_colours import few_colours_png
from bagmill.previews.legend import COLOURS, draw_legend
from bagmill.previews.plot_area import PAPER, Axis, PlotArea

_X_TICKS, _Y_TICKS = 9, 8
_FEWEST_INTERVALS: Final = 4
"""Of one step of a line: single intervals would show the jitter, and nothing else."""
_MOST_STEPS: Final = 200
_LEAST_TOP, _MOST_TOP = 120.0, 200.0
"""Percent at the upper end of the plot. What was held up and then came at once would leave the rest no room."""


@dataclass(frozen=True, slots=True)
class RateSource:
    """One channel of the plot."""

    stamps_ns: NDArray[np.int64]
    """(N,) by whichever clock, in any order."""
    expected_rate_hz: float | None
    """What is drawn as 100 %; None: what the channel's median interval gives."""


def rates_plot(sources: Mapping[str, RateSource], *, width: int = 640, height: int = 200) -> bytes:
    """Plot how fast every channel ran, in percent of what it should have.

    A line is as many steps as its messages allow, each over the time that some of them took: a silence is one long, low
    step. A line that begins late or ends early is a channel that did.

    Args:
        sources: By the channel's name.
        width: Pixels.
        height: Pixels.

    Returns:
        PNG.
    """
    stamps = {name: _plausible(source.stamps_ns) for name, source in sources.items()}
    start_ns = min((values[0] for values in stamps.values() if len(values)), default=0.0)
    rates_hz = {name: source.expected_rate_hz or _usual_rate_hz(stamps[name]) for name, source in sources.items()}
    lines = {name: _steps((stamps[name] - start_ns) / 1e9, rate_hz=rates_hz[name]) for name in sources}
    percents = np.concatenate([percent for _, percent in lines.values()]) if lines else np.empty(0)
    seconds = np.concatenate([edges for edges, _ in lines.values()]) if lines else np.empty(0)
    top = float(np.clip(percents.max(initial=0), _LEAST_TOP, _MOST_TOP))
    area = PlotArea(
        left=round(0.08 * width),
        top=round(0.04 * height),
        right=round(0.78 * width),
        bottom=round(0.81 * height),
        x_axis=Axis.over(seconds, max_ticks=_X_TICKS),
        y_axis=Axis.over(np.array([0.0, top]), max_ticks=_Y_TICKS),
    )
    picture = Image.new("RGB", (width, height), PAPER)
    area.draw_level(picture, 100.0)
    pen = ImageDraw.Draw(picture)
    for n, (edges, percent) in enumerate(lines.values()):
        if len(percent):
            columns = np.repeat(area.columns(edges), 2)[1:-1]
            rows = np.repeat(area.rows(np.minimum(percent, top)), 2)
            pen.line(np.stack([columns, rows], axis=1).reshape(-1).tolist(), fill=COLOURS[n % len(COLOURS)], width=2)
    area.draw(picture, x_title="time, s", y_title="rate, % of usual")
    notes = [f"{rate_hz:.4g} Hz" if rate_hz else "no rate" for rate_hz in rates_hz.values()]
    draw_legend(picture, area, list(sources), notes=notes)
    return few_colours_png(picture, num_colours=64, is_optimized=False)


def _plausible(stamps_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    """Sorted, less what lies as far from most of them as they are apart: a single stamp of 1970 would squeeze the rest."""
    # float64: what is absent or broken may be as far away as int64 goes, where differences would overflow.
    stamps = np.sort(stamps_ns.astype(np.float64))
    if not len(stamps):
        return stamps
    low, high = np.percentile(stamps, (2, 98))
    span = max(high - low, 1e9)
    kept: NDArray[np.float64] = stamps[(stamps >= low - span) & (stamps <= high + span)]
    return kept


def _usual_rate_hz(stamps_ns: NDArray[np.float64]) -> float | None:
    intervals = np.diff(stamps_ns)
    period_ns = float(np.median(intervals)) if len(intervals) else 0.0
    return 1e9 / period_ns if period_ns > 0 else None


def _steps(seconds: NDArray[np.float64], *, rate_hz: float | None) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Edges (n+1,) of a line's steps in seconds, and their height (n,) in percent; none for what has no rate."""
    num_intervals = len(seconds) - 1
    if num_intervals < 1 or rate_hz is None:
        return np.empty(0), np.empty(0)
    length = min(num_intervals, max(_FEWEST_INTERVALS, -(-num_intervals // _MOST_STEPS)))
    places = np.arange(num_intervals // length + 1) * length
    places[-1] = num_intervals
    with np.errstate(divide="ignore"):  # messages that all have one stamp: infinitely fast, drawn at the top
        return seconds[places], 100 * np.diff(places) / np.diff(seconds[places]) / rate_hz
