"""The values of an episode's signals over time."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from bagmill.episodes import Episode
from bagmill.previews.few_colours import few_colours_png
from bagmill.previews.thinning import seconds_of, thinned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_DPI = 100
_MAX_SIGNALS = 6
_MAX_LINES = 32
_FONT_SIZE = 7


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
    return few_colours_png(draw_signals(episode, width=width, height=height), num_colours=48, is_optimized=True)


def draw_signals(episode: Episode, *, width: int = 640, height: int = 400) -> Image.Image:
    """As `signal_plot`, as an RGB picture."""
    return _picture(_signal_figure(episode, width, height))


def _signal_figure(episode: Episode, width: int, height: int) -> Figure:
    names = [name for name, feature in episode.features.items() if feature.kind == "signal"][:_MAX_SIGNALS]
    figure = _figure(width, height)
    if not names or not episode.num_ticks:
        figure.text(0.5, 0.5, "nothing to show", ha="center")
        return figure
    seconds = seconds_of(episode.time_ns)
    margins = {"left": 0.08, "right": 0.98, "bottom": 0.09, "top": 0.95, "hspace": 0.35}
    panels = figure.subplots(len(names), 1, sharex=True, squeeze=False, gridspec_kw=margins)[:, 0]
    for axes, name in zip(panels, names, strict=True):
        values = episode.signal(name)
        for column in range(min(values.shape[1], _MAX_LINES)):
            axes.plot(*thinned(seconds, values[:, column].astype(np.float64)), linewidth=0.7)
        units = episode.features[name].attributes.get("units")
        axes.set_title(f"{name}, {units}" if units else name, loc="left", pad=2, fontsize=_FONT_SIZE)
        axes.tick_params(labelsize=6)
    panels[-1].set_xlabel("time, s", fontsize=_FONT_SIZE)
    return figure


def _figure(width: int, height: int) -> Figure:
    # Loading it takes longer than the rest of an ingest's imports together, and few episodes have no camera.
    from matplotlib.figure import Figure  # noqa: PLC0415

    return Figure(figsize=(width / _DPI, height / _DPI), dpi=_DPI)


def _picture(figure: Figure) -> Image.Image:
    """Rendered to RGB by Agg: no display, no state shared between threads."""
    file = io.BytesIO()
    figure.savefig(file, format="raw")
    size = (round(figure.get_figwidth() * _DPI), round(figure.get_figheight() * _DPI))
    return Image.frombytes("RGBA", size, file.getvalue()).convert("RGB")
