"""Small plots side by side in one picture, each with its own axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image

from bagmill.previews.plot_area import PAPER, Axis, PlotArea

WIDTH: Final = 320
HEIGHT: Final = 150
"""Of a panel, pixels."""
MAX_X_TICKS: Final = 6
MAX_Y_TICKS: Final = 5
_LEFT, _RIGHT, _TOP, _BOTTOM = 58, 12, 16, 34
"""Room around a panel's frame for numbers and titles, pixels."""


def panel(x_axis: Axis, y_axis: Axis) -> tuple[Image.Image, PlotArea]:
    """An empty RGB picture and where in it values go."""
    area = PlotArea(left=_LEFT, top=_TOP, right=WIDTH - _RIGHT, bottom=HEIGHT - _BOTTOM, x_axis=x_axis, y_axis=y_axis)
    return Image.new("RGB", (WIDTH, HEIGHT), PAPER), area


def side_by_side(panels: Sequence[Image.Image], *, columns: int = 2) -> Image.Image:
    """Panels in rows of so many, in their order; at least one."""
    rows = -(-len(panels) // columns)
    picture = Image.new("RGB", (columns * WIDTH, rows * HEIGHT), PAPER)
    for n, each in enumerate(panels):
        picture.paste(each, (n % columns * WIDTH, n // columns * HEIGHT))
    return picture
