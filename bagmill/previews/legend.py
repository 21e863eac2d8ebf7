"""Which colour is whose: the list beside a plot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from PIL import Image, ImageDraw

from bagmill.previews.plot_area import INK, PlotArea, font

COLOURS: Final = (
    (31, 119, 180),
    (255, 127, 14),
    (44, 160, 44),
    (214, 39, 40),
    (148, 103, 189),
    (140, 86, 75),
    (227, 119, 194),
    (127, 127, 127),
    (188, 189, 34),
    (23, 190, 207),
)
"""One a subject, round and round: those that plots in Python have by default."""
_LABEL_LENGTH: Final = 22
_LABEL_SIZE, _LABEL_HEIGHT = 9, 13


def draw_legend(picture: Image.Image, area: PlotArea, names: Sequence[str], *, notes: Sequence[str] = ()) -> None:
    """Draw the list into an RGB picture, to the right of a plot.

    Args:
        picture: The picture.
        area: Where its plot is.
        names: In the order of their colours; shortened where they are too long.
        notes: What stands behind each name, whole; none where this is empty.
    """
    pen = ImageDraw.Draw(picture)
    for n, name in enumerate(names):
        row = area.top + n * _LABEL_HEIGHT
        dot = (area.right + 17, row + 3, area.right + 20, row + 6)
        pen.rounded_rectangle(dot, radius=2, fill=COLOURS[n % len(COLOURS)])
        note = f" {notes[n]}" if notes else ""
        label = _short(name, _LABEL_LENGTH - len(note)) + note
        pen.text((area.right + 29, row + 5), label, fill=INK, font=font(_LABEL_SIZE), anchor="lm")


def _short(name: str, length: int) -> str:
    """A name that fits beside the plot; its end tells more than its beginning."""
    return name if len(name) <= length else f"…{name[1 - length :]}"
