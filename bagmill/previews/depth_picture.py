"""Depth as a colour picture that can be measured by eye: every depth camera once, with a scale beside it."""

from __future__ import annotations

from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bagmill.episodes import Episode
from bagmill.previews.colour import colour_depth
from bagmill.previews.fitting import fitting_picture
from bagmill.previews.thumbnail import DepthRanges, depth_ranges, fit_size, thumbnail

MAX_BYTES: Final = 200 * 1024
_MAX_HEIGHT, _MAX_WIDTH = 480, 960
_SCALE_WIDTH, _NUMBERS_WIDTH, _GAP = 16, 64, 8
_NUM_MARKS: Final = 5
_LABEL_HEIGHT, _FONT_SIZE = 20, 12
_PAPER, _INK = (18, 18, 18), (230, 230, 230)


def make_depth_picture(
    episode: Episode, *, ranges: DepthRanges | None = None, max_bytes: int = MAX_BYTES
) -> bytes | None:
    """Draw the frame in the middle of every depth camera's, in colours, with a scale in metres.

    Args:
        episode: The episode.
        ranges: Of `depth_ranges`, where they are known already.
        max_bytes: Quality, then size are lowered until it fits.

    Returns:
        JPEG; None for an episode without a depth frame.

    Raises:
        StorageError: A frame is damaged.
    """
    ranges = depth_ranges(episode) if ranges is None else ranges
    panels = [panel for name in ranges if (panel := _draw_panel(episode, name, ranges)) is not None]
    if not panels:
        return None
    picture = Image.new("RGB", (max(panel.width for panel in panels), sum(panel.height for panel in panels)), _PAPER)
    y = 0
    for panel in panels:
        picture.paste(panel, (0, y))
        y += panel.height
    return fitting_picture(picture, "JPEG", max_bytes=max_bytes)


def _draw_panel(episode: Episode, name: str, ranges: DepthRanges) -> Image.Image | None:
    stored = np.flatnonzero(episode.stored_ticks(name))
    if not len(stored):
        return None
    tick = int(stored[len(stored) // 2])
    shape = episode.features[name].shape
    size = fit_size(shape, height=min(shape[0], _MAX_HEIGHT), max_width=_MAX_WIDTH)
    tile = thumbnail(episode, name, tick=tick, size=size, ranges=ranges)
    assert tile is not None, "the tick is one of those stored"
    height, width = size
    panel = Image.new("RGB", (width + 2 * _GAP + _SCALE_WIDTH + _NUMBERS_WIDTH, height + _LABEL_HEIGHT + _GAP), _PAPER)
    second = (int(episode.time_ns[tick]) - int(episode.time_ns[0])) / 1e9
    label = f"{name}  {second:.2f} s   black: nothing measured"
    ImageDraw.Draw(panel).text((2, 3), label, fill=_INK, font=ImageFont.load_default(_FONT_SIZE))
    panel.paste(Image.fromarray(tile), (0, _LABEL_HEIGHT))
    _draw_scale(panel, ranges[name], x=width + _GAP, height=height, scale_m=_scale_m(episode, name))
    return panel


def _draw_scale(panel: Image.Image, near_far: tuple[int, int], *, x: int, height: int, scale_m: float | None) -> None:
    """Near at the bottom, as most floors are."""
    near, far = near_far
    counts = np.linspace(far, near, height).round().astype(np.uint16)
    bar = colour_depth(np.repeat(counts[:, np.newaxis], _SCALE_WIDTH, axis=1), near=near, far=far)
    panel.paste(Image.fromarray(bar), (x, _LABEL_HEIGHT))
    pen = ImageDraw.Draw(panel)
    for share in np.linspace(0, 1, _NUM_MARKS).tolist():
        count = far + share * (near - far)
        text = f"{count:.0f}" if scale_m is None else f"{count * scale_m:.2f} m"
        # The first and the last stay inside.
        row = _LABEL_HEIGHT + round(share * (height - 1))
        anchor = "la" if share == 0 else "ld" if share == 1 else "lm"
        pen.text((x + _SCALE_WIDTH + 4, row), text, fill=_INK, font=ImageFont.load_default(_FONT_SIZE), anchor=anchor)


def _scale_m(episode: Episode, name: str) -> float | None:
    scale_m = episode.features[name].attributes.get("scale_m")
    return float(scale_m) if isinstance(scale_m, float | int) else None
