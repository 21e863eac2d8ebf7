"""Plots as small PNG files."""

from __future__ import annotations

import io
from typing import Final

from PIL import Image

MAX_PLOT_BYTES: Final = 6000
"""Of a plot that is stored with Dagster's events, where it takes a third more."""


def few_colours_png(picture: Image.Image, *, num_colours: int, is_optimized: bool) -> bytes:
    """An RGB picture of lines and text as a PNG with a palette, which halves its size.

    Args:
        picture: RGB.
        num_colours: At most 256.
        is_optimized: Take longer for a smaller file.
    """
    # By coverage, because the colour of a few marks must not be lost among the text's grays.
    few = picture.quantize(num_colours, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    file = io.BytesIO()
    few.save(file, "PNG", optimize=is_optimized)
    return file.getvalue()
