"""Plots."""

from __future__ import annotations

from io import BytesIO

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from bagmill.episodes import Episode


def skew_plot(episode: Episode) -> bytes:
    """PNG bytes."""
    figure = Figure(figsize=(6.4, 2.0))
    axes = figure.add_subplot()
    for name in episode.features:
        axes.plot((episode.time_ns - episode.time_ns[0]) / 1e9, episode.skew_ns(name) / 1e6, label=name)
    buffer = BytesIO()
    FigureCanvasAgg(figure).print_png(buffer)
    return buffer.getvalue()


def signal_plot(episode: Episode) -> bytes:
    """PNG bytes."""
    return skew_plot(episode)
