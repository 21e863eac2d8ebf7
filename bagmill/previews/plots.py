"""Small plots over time: skew of every feature, values of every signal."""

from __future__ import annotations

import io

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from bagmill.alignment import Timeline
from bagmill.episodes import Episode

_DPI = 100
_MAX_BUCKETS = 300
"""Places along the time axis: as many as a plot of 640 pixels can tell apart."""
_MAX_SIGNALS = 6
_LABEL_LENGTH = 24
_MAX_LINES = 32
_FONT_SIZE = 7


def skew_plot(source: Timeline | Episode, *, width: int = 640, height: int = 200) -> bytes:
    """Plot how far every feature's messages lie from the ticks they feed.

    Within a pixel's worth of ticks the lowest and the highest skew are drawn, so that no outlier is lost. Ticks without a
    message are marked below the lines, in the colour of their feature.

    Args:
        source: A timeline or an episode.
        width: Pixels.
        height: Pixels.

    Returns:
        PNG.
    """
    figure = _figure(width, height)
    axes = figure.add_axes((0.08, 0.19, 0.7, 0.77))
    seconds = _seconds(source.time_ns)
    for n, name in enumerate(source.features):
        is_valid = _valid(source, name)
        skew_ms = np.where(is_valid, source.skew_ns(name) / 1e6, np.nan)
        colour = f"C{n % 10}"
        # Dots: lines of several jittering features would hide each other.
        axes.plot(
            *_thinned(seconds, skew_ms),
            color=colour,
            linestyle="none",
            marker=".",
            markersize=3,
            mew=0,
            label=_short(name),
        )
        gaps = _bucket_starts(~is_valid)
        # In the axes' own height, so that they are seen whatever the skew is.
        axes.plot(
            seconds[gaps],
            np.full(len(gaps), 0.02 + 0.03 * (n % 10)),
            linestyle="none",
            marker="|",
            markersize=5,
            mew=1.5,
            color=colour,
            transform=axes.get_xaxis_transform(),
        )
    axes.axhline(0, color="0.6", linewidth=0.5)
    axes.set_ylabel("skew, ms", fontsize=_FONT_SIZE)
    axes.set_xlabel("time, s   ( | : no message within the tolerance)", fontsize=_FONT_SIZE)
    axes.tick_params(labelsize=6)
    if source.features:
        figure.legend(loc="upper left", bbox_to_anchor=(0.785, 1), fontsize=6, frameon=False, markerscale=2)
    return _png(figure)


def signal_plot(episode: Episode, *, width: int = 640, height: int = 400) -> bytes:
    """Plot the values of an episode's signals over time, the first six of them.

    Args:
        episode: The episode.
        width: Pixels.
        height: Pixels.

    Returns:
        PNG.

    Raises:
        StorageError: A signal cannot be read.
    """
    return _png(_signal_figure(episode, width, height))


def draw_signals(episode: Episode, *, width: int = 640, height: int = 400) -> Image.Image:
    """As `signal_plot`, as an RGB picture."""
    return _picture(_signal_figure(episode, width, height))


def _signal_figure(episode: Episode, width: int, height: int) -> Figure:
    names = [name for name, feature in episode.features.items() if feature.kind == "signal"][:_MAX_SIGNALS]
    figure = _figure(width, height)
    if not names or not episode.num_ticks:
        figure.text(0.5, 0.5, "nothing to show", ha="center")
        return figure
    seconds = _seconds(episode.time_ns)
    margins = {"left": 0.08, "right": 0.98, "bottom": 0.09, "top": 0.95, "hspace": 0.35}
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False, gridspec_kw=margins)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        values = episode.signal(name)
        for column in range(min(values.shape[1], _MAX_LINES)):
            axes.plot(*_thinned(seconds, values[:, column].astype(np.float64)), linewidth=0.7)
        units = episode.features[name].attributes.get("units")
        axes.set_title(f"{name}, {units}" if units else name, loc="left", pad=2, fontsize=_FONT_SIZE)
        axes.tick_params(labelsize=6)
    panels[-1].set_xlabel("time, s", fontsize=_FONT_SIZE)
    return figure


def _figure(width: int, height: int) -> Figure:
    return Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)


def _png(figure: Figure) -> bytes:
    file = io.BytesIO()
    # A palette halves the size; by coverage, because the colour of a few marks must not be lost among the text's grays.
    picture = _picture(figure).quantize(48, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    picture.save(file, "PNG", optimize=True)
    return file.getvalue()


def _picture(figure: Figure) -> Image.Image:
    """Rendered to RGB by Agg: no display, no state shared between threads."""
    file = io.BytesIO()
    figure.savefig(file, format="raw")
    size = (round(figure.get_figwidth() * _DPI), round(figure.get_figheight() * _DPI))
    return Image.frombytes("RGBA", size, file.getvalue()).convert("RGB")


def _seconds(time_ns: NDArray[np.int64]) -> NDArray[np.float64]:
    return (time_ns - time_ns[0]) / 1e9 if len(time_ns) else np.empty(0)


def _valid(source: Timeline | Episode, name: str) -> NDArray[np.bool_]:
    return source.features[name].is_valid if isinstance(source, Timeline) else source.valid(name)


def _short(name: str) -> str:
    """A name that fits beside the plot; its end tells more than its beginning."""
    return name if len(name) <= _LABEL_LENGTH else f"…{name[1 - _LABEL_LENGTH :]}"


def _thinned(
    seconds: NDArray[np.float64], values: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most twice `_MAX_BUCKETS` points: the lowest and the highest of each bucket; nan only where all of it is."""
    num_buckets = min(len(values), _MAX_BUCKETS)
    if len(values) <= 2 * num_buckets:
        return seconds, values
    edges = np.linspace(0, len(values), num_buckets, endpoint=False).astype(np.intp)
    # fmin and fmax pass over nan
    lowest, highest = np.fmin.reduceat(values, edges), np.fmax.reduceat(values, edges)
    return np.repeat(seconds[edges], 2), np.stack([lowest, highest], axis=1).reshape(-1)


def _bucket_starts(mask: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Positions of True, thinned to one in each bucket that has any."""
    positions = np.flatnonzero(mask)
    if len(positions) <= _MAX_BUCKETS:
        return positions
    _, first = np.unique(positions * _MAX_BUCKETS // len(mask), return_index=True)
    return positions[first]
