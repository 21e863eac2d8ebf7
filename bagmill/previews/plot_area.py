"""A frame with two axes, their ticks and numbers, drawn with Pillow.

A plotting library takes longer to draw one than a short episode takes to copy, and longer still to be imported.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

PAPER: Final = (255, 255, 255)
INK: Final = (0, 0, 0)
_GRID: Final = (176, 176, 176)
_TICK_LENGTH: Final = 4
_NUMBER_SIZE, _TITLE_SIZE = 9, 10
_MARGIN: Final = 0.05
"""Of the values' range, left free on either side."""
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)
"""Ticks stand at multiples of these, times a power of ten."""


@dataclass(frozen=True, slots=True)
class Axis:
    """Values from `low` to `high`, low < high, and the ticks between."""

    low: float
    high: float
    ticks: tuple[float, ...]
    decimals: int
    """Of the ticks' numbers."""

    @classmethod
    def over(cls, values: NDArray[np.float64], *, max_ticks: int) -> Axis:
        """An axis with room for some values; nan is passed over, and no value at all is as zero.

        Args:
            values: (N,).
            max_ticks: At least 2.
        """
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 0.0)
        # A single value gets an axis around it, of a size that its digits can tell apart.
        margin = _MARGIN * (high - low) or max(0.05, _MARGIN * abs(high))
        low, high = low - margin, high + margin
        step = _tick_step(high - low, max_ticks)
        first, last = math.ceil(low / step), math.floor(high / step)
        decimals = max(0, -math.floor(math.log10(step) + 1e-9) + (1 if _is_quarter(step) else 0))
        return cls(low, high, tuple(n * step for n in range(first, last + 1)), decimals)

    def place(self, values: NDArray[np.float64] | float) -> NDArray[np.float64]:
        """Where values lie, 0 at the low end to 1 at the high one."""
        return np.asarray((values - self.low) / (self.high - self.low))

    def number(self, tick: float) -> str:
        """A tick's number, as people read it."""
        text = f"{tick:.{self.decimals}f}"
        return text.removeprefix("-") if float(text) == 0 else text


@dataclass(frozen=True, slots=True)
class PlotArea:
    """Where in a picture values are drawn, in whole pixels: left and top inside, right and bottom outside."""

    left: int
    top: int
    right: int
    bottom: int
    x_axis: Axis
    y_axis: Axis

    def columns(self, values: NDArray[np.float64] | float) -> NDArray[np.intp]:
        """The pixels that values of the x axis fall into."""
        return np.rint(self.left + self.x_axis.place(values) * (self.right - self.left)).astype(np.intp)

    def rows(self, values: NDArray[np.float64] | float) -> NDArray[np.intp]:
        """The pixels that values of the y axis fall into; upwards is more."""
        return np.rint(self.bottom - self.y_axis.place(values) * (self.bottom - self.top)).astype(np.intp)

    def draw(self, picture: Image.Image, *, x_title: str, y_title: str) -> None:
        """Draw the frame, the ticks, their numbers and the titles into an RGB picture."""
        pen = ImageDraw.Draw(picture)
        pen.rectangle((self.left, self.top, self.right, self.bottom), outline=INK)
        for tick in self.x_axis.ticks:
            column = int(self.columns(tick))
            pen.line((column, self.bottom, column, self.bottom + _TICK_LENGTH), fill=INK)
            place = (column, self.bottom + _TICK_LENGTH + 2)
            pen.text(place, self.x_axis.number(tick), fill=INK, font=font(_NUMBER_SIZE), anchor="ma")
        for tick in self.y_axis.ticks:
            row = int(self.rows(tick))
            pen.line((self.left - _TICK_LENGTH, row, self.left, row), fill=INK)
            place = (self.left - _TICK_LENGTH - 3, row)
            pen.text(place, self.y_axis.number(tick), fill=INK, font=font(_NUMBER_SIZE), anchor="rm")
        middle = (self.left + self.right) // 2, picture.height - 3
        pen.text(middle, x_title, fill=INK, font=font(_TITLE_SIZE), anchor="md")
        title = _upwards(y_title)
        picture.paste(title, (4, (self.top + self.bottom - title.height) // 2))

    def draw_level(self, picture: Image.Image, level: float) -> None:
        """Draw a thin line across at a value of the y axis, if that is in the frame."""
        if self.y_axis.low <= level <= self.y_axis.high:
            row = int(self.rows(level))
            ImageDraw.Draw(picture).line((self.left + 1, row, self.right - 1, row), fill=_GRID)


@lru_cache(maxsize=8)
def font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Pillow's own font, loaded once a size."""
    return ImageFont.load_default(size)


def _upwards(text: str) -> Image.Image:
    """A line of text turned to be read from below."""
    _, _, width, height = font(_TITLE_SIZE).getbbox(text, anchor="la")
    line = Image.new("RGB", (math.ceil(width) + 1, math.ceil(height) + 1), PAPER)
    ImageDraw.Draw(line).text((0, 0), text, fill=INK, font=font(_TITLE_SIZE))
    return line.transpose(Image.Transpose.ROTATE_90)


def _tick_step(span: float, max_ticks: int) -> float:
    """The least step that gives at most so many ticks."""
    scale = 10.0 ** math.floor(math.log10(span / max_ticks))
    return next((step * scale for step in _STEPS if span / (step * scale) <= max_ticks), 10 * scale)


def _is_quarter(step: float) -> bool:
    """Whether a step is 2.5 times a power of ten, whose ticks need one more digit."""
    return math.isclose(step / 10.0 ** math.floor(math.log10(step) + 1e-9), 2.5)
