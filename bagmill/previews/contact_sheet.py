"""The contact sheet: an episode at a glance, cameras down, time across."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from bagmill.episodes import Episode
from bagmill.previews.mosaic import hatched
from bagmill.previews.signals import draw_signals
from bagmill.previews.thumbnail import cameras_of, depth_ranges, fit_size, spread_ticks, thumbnail

MAX_BYTES = 60 * 1024
"""Of a sheet: it is stored with Dagster's events and shown in lists."""
_QUALITIES = (85, 75, 65, 55, 45)
_SHRINK = 0.8
_LABEL_HEIGHT = 16
_FONT_SIZE = 11
_PAPER, _INK = (18, 18, 18), (230, 230, 230)
_GAP = 2
_MAX_TILE_ASPECT = 3


def make_contact_sheet(
    episode: Episode, *, num_ticks: int = 6, tile_height: int = 120, max_bytes: int = MAX_BYTES
) -> bytes:
    """Draw a contact sheet: a row of tiles a camera, or a plot of the signals where there is no camera.

    Args:
        episode: The episode.
        num_ticks: Tiles in a row, from the first tick to the last.
        tile_height: Lines of a tile.
        max_bytes: Quality, then size are lowered until it fits.

    Returns:
        JPEG.

    Raises:
        StorageError: A frame is damaged.
    """
    ticks = spread_ticks(episode.num_ticks, count=num_ticks)
    has_tiles = bool(cameras_of(episode) and ticks)
    sheet = draw_contact_sheet(episode, ticks=ticks, tile_height=tile_height) if has_tiles else draw_signals(episode)
    return _fitting_jpeg(sheet, max_bytes)


def draw_contact_sheet(episode: Episode, *, ticks: list[int], tile_height: int) -> Image.Image:
    """The sheet of an episode with cameras, RGB.

    Args:
        episode: The episode.
        ticks: The columns.
        tile_height: Lines of a tile.

    Raises:
        StorageError: A frame is damaged.
    """
    ranges = depth_ranges(episode)
    max_width = tile_height * _MAX_TILE_ASPECT
    sizes = {
        name: fit_size(episode.features[name].shape, height=tile_height, max_width=max_width)
        for name in cameras_of(episode)
    }
    column = max(width for _, width in sizes.values()) + _GAP
    height = _LABEL_HEIGHT + sum(_LABEL_HEIGHT + lines + _GAP for lines, _ in sizes.values())
    sheet = Image.new("RGB", (column * len(ticks), height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_SIZE)
    seconds = (episode.time_ns[ticks] - episode.time_ns[0]) / 1e9
    for n, second in enumerate(seconds.tolist()):
        pen.text((n * column + 2, 1), f"{second:.2f} s", fill=_INK, font=font)
    y = _LABEL_HEIGHT
    for name, size in sizes.items():
        pen.text((2, y + 1), _label(episode, name, ranges), fill=_INK, font=font)
        y += _LABEL_HEIGHT
        for n, tick in enumerate(ticks):
            tile = thumbnail(episode, name, tick=tick, size=size, ranges=ranges)
            sheet.paste(Image.fromarray(hatched(size) if tile is None else tile), (n * column, y))
            if tile is None:
                pen.text((n * column + 4, y + 4), "no frame", fill=_INK, font=font)
        y += size[0] + _GAP
    return sheet


def _label(episode: Episode, name: str, ranges: dict[str, tuple[int, int]]) -> str:
    feature = episode.features[name]
    height, width = feature.shape[:2]
    label = f"{name}  {width} x {height}"
    if name not in ranges:
        return label
    near, far = ranges[name]
    scale_m = feature.attributes.get("scale_m")
    if isinstance(scale_m, float | int):
        return f"{label}  red {near * scale_m:.2f} m, blue {far * scale_m:.2f} m"
    return f"{label}  red {near}, blue {far} counts"


def _fitting_jpeg(sheet: Image.Image, max_bytes: int) -> bytes:
    while True:
        for quality in _QUALITIES:
            file = io.BytesIO()
            sheet.save(file, "JPEG", quality=quality, optimize=True)
            if len(file.getvalue()) <= max_bytes or max(sheet.size) < 64:
                return file.getvalue()
        smaller = (np.array(sheet.size) * _SHRINK).astype(int).clip(1).tolist()
        sheet = sheet.resize((smaller[0], smaller[1]), Image.Resampling.BOX)
