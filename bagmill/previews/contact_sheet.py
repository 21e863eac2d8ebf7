"""The contact sheet: an episode at a glance, cameras down, time across."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from bagmill.episodes import Episode
from bagmill.previews.fitting import fitting_picture
from bagmill.previews.mosaic import hatched
from bagmill.previews.signals import draw_signals
from bagmill.previews.thumbnail import DepthRanges, cameras_of, depth_ranges, fit_size, spread_ticks, thumbnail

MAX_BYTES: Final = 60 * 1024
"""Of a sheet."""
MAX_SMALL_BYTES: Final = 6000
"""Of a small sheet: with Dagster's events, which hold it as text, it takes 8 KB."""
_SMALL_TICKS: Final = 3
_SMALL_HEIGHT, _LEAST_TILE_HEIGHT, _MOST_TILE_HEIGHT = 240, 40, 80
"""Lines of all tiles of a small sheet's column, and of one."""
_LABEL_HEIGHT = 16
_FONT_SIZE = 11
_PAPER, _INK = (18, 18, 18), (230, 230, 230)
_GAP = 2
_MAX_TILE_ASPECT = 3

_Tiles = Mapping[str, Sequence[NDArray[np.uint8] | None]]
"""Camera → its picture at each of the sheet's ticks, (H, W, 3); None where it has no frame."""


@dataclass(frozen=True, slots=True)
class ContactSheets:
    """One contact sheet in two sizes."""

    large: bytes
    """JPEG."""
    small: bytes
    """AVIF, of fewer ticks: what a database can hold ten thousands of, with letters that can be read."""


def make_contact_sheets(
    episode: Episode,
    *,
    num_ticks: int = 6,
    tile_height: int = 120,
    ranges: DepthRanges | None = None,
    max_bytes: int = MAX_BYTES,
    max_small_bytes: int = MAX_SMALL_BYTES,
) -> ContactSheets:
    """Draw contact sheets: a row of tiles a camera, or a plot of the signals where there is no camera.

    Args:
        episode: The episode.
        num_ticks: Tiles in a row of the large one, from the first tick to the last.
        tile_height: Lines of a tile of the large one.
        ranges: Of `depth_ranges`, where they are known already.
        max_bytes: Quality, then size are lowered until the large one fits.
        max_small_bytes: The same for the small one.

    Raises:
        StorageError: A frame is damaged.
    """
    ticks, cameras = spread_ticks(episode.num_ticks, count=num_ticks), cameras_of(episode)
    if cameras and ticks:
        ranges = depth_ranges(episode) if ranges is None else ranges
        tiles = _tiles(episode, cameras, ticks, height=tile_height, ranges=ranges)
        large = _lay_out(episode, tiles, ticks, ranges)
        # Its tiles are made small and the labels written anew: letters that were made small could not be read.
        few = spread_ticks(len(ticks), count=_SMALL_TICKS)
        height = max(_LEAST_TILE_HEIGHT, min(_MOST_TILE_HEIGHT, tile_height, _SMALL_HEIGHT // len(cameras)))
        small_tiles = {name: [_reduced(tiles[name][n], height) for n in few] for name in cameras}
        small = _lay_out(episode, small_tiles, [ticks[n] for n in few], ranges)
    else:
        large = small = draw_signals(episode)
    return ContactSheets(
        fitting_picture(large, "JPEG", max_bytes=max_bytes), fitting_picture(small, "AVIF", max_bytes=max_small_bytes)
    )


def _tiles(episode: Episode, cameras: list[str], ticks: list[int], *, height: int, ranges: DepthRanges) -> _Tiles:
    sizes = {
        name: fit_size(episode.features[name].shape, height=height, max_width=height * _MAX_TILE_ASPECT)
        for name in cameras
    }
    return {
        name: [thumbnail(episode, name, tick=tick, size=sizes[name], ranges=ranges) for tick in ticks]
        for name in cameras
    }


def _reduced(tile: NDArray[np.uint8] | None, height: int) -> NDArray[np.uint8] | None:
    if tile is None or tile.shape[0] <= height:
        return tile
    width = max(2, round(tile.shape[1] * height / tile.shape[0]))
    return np.asarray(Image.fromarray(tile).resize((width, height), Image.Resampling.BOX))


def _lay_out(episode: Episode, tiles: _Tiles, ticks: list[int], ranges: DepthRanges) -> Image.Image:
    sizes = {name: _size_of(row) for name, row in tiles.items()}
    column = max(width for _, width in sizes.values()) + _GAP
    height = _LABEL_HEIGHT + sum(_LABEL_HEIGHT + lines + _GAP for lines, _ in sizes.values())
    sheet = Image.new("RGB", (column * len(ticks), height), _PAPER)
    pen = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(_FONT_SIZE)
    seconds = (episode.time_ns[ticks] - episode.time_ns[0]) / 1e9
    for n, second in enumerate(seconds.tolist()):
        pen.text((n * column + 2, 1), f"{second:.2f} s", fill=_INK, font=font)
    y = _LABEL_HEIGHT
    for name, row in tiles.items():
        pen.text((2, y + 1), _label(episode, name, ranges), fill=_INK, font=font)
        y += _LABEL_HEIGHT
        for n, tile in enumerate(row):
            sheet.paste(Image.fromarray(hatched(sizes[name]) if tile is None else tile), (n * column, y))
            if tile is None:
                pen.text((n * column + 4, y + 4), "no frame", fill=_INK, font=font)
        y += sizes[name][0] + _GAP
    return sheet


def _size_of(row: Sequence[NDArray[np.uint8] | None]) -> tuple[int, int]:
    """(height, width) of a row's tiles; of a camera without any frame, of a small one."""
    tile = next((tile for tile in row if tile is not None), None)
    return (_LEAST_TILE_HEIGHT, 2 * _LEAST_TILE_HEIGHT) if tile is None else (tile.shape[0], tile.shape[1])


def _label(episode: Episode, name: str, ranges: DepthRanges) -> str:
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
