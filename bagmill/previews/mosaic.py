"""All cameras of one tick in one picture, side by side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import Episode
from bagmill.previews.thumbnail import cameras_of, depth_ranges, fit_size, thumbnail

_MAX_WIDTH = 1920
"""Pixels of a row of tiles; the next camera begins a new row."""
_MAX_TILE_WIDTH = 3840
_HATCH_PITCH = 16
_HATCH_DARK, _HATCH_LIGHT = 24, 96


@dataclass(frozen=True, slots=True)
class Tile:
    """Where one camera is in the picture, in pixels from the top left."""

    feature: str
    x: int
    y: int
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Mosaic:
    """How the pictures of an episode are laid out."""

    tiles: tuple[Tile, ...]
    width: int
    """Even, as is `height`: the film's chroma has half of both."""
    height: int
    depth_ranges: Mapping[str, tuple[int, int]]
    """Depth feature → (near, far) in counts."""


def plan_mosaic(episode: Episode, *, height: int) -> Mosaic | None:
    """Lay out an episode's cameras, images first, in rows no wider than full HD.

    Args:
        episode: The episode.
        height: Lines of a tile; made even.

    Returns:
        The layout; None for an episode without a camera or without a tick.

    Raises:
        StorageError: A depth frame, sampled for the range of colours, is damaged.
    """
    cameras = cameras_of(episode)
    if not cameras or not episode.num_ticks:
        return None
    tiles: list[Tile] = []
    x = y = row_height = 0
    for name in cameras:
        lines, width = fit_size(episode.features[name].shape, height=height, max_width=_MAX_TILE_WIDTH)
        if x and x + width > _MAX_WIDTH:
            x, y, row_height = 0, y + row_height, 0
        tiles.append(Tile(name, x, y, width=width, height=lines))
        x, row_height = x + width, max(row_height, lines)
    return Mosaic(
        tuple(tiles),
        width=max(tile.x + tile.width for tile in tiles),
        height=max(tile.y + tile.height for tile in tiles),
        depth_ranges=depth_ranges(episode),
    )


def draw_mosaic(mosaic: Mosaic, episode: Episode, *, tick: int, is_exact: bool = False) -> NDArray[np.uint8]:
    """Draw one tick.

    A camera without a frame at this tick is hatched: never its last frame, which would look as if it had one.

    Args:
        mosaic: Of `plan_mosaic` for this episode.
        episode: The episode.
        tick: Position on the timeline.
        is_exact: As of `thumbnail`.

    Returns:
        (height, width, 3) uint8 RGB; black beside the tiles.

    Raises:
        StorageError: A frame is damaged.
    """
    picture = np.zeros((mosaic.height, mosaic.width, 3), np.uint8)
    for tile in mosaic.tiles:
        size = (tile.height, tile.width)
        drawn = thumbnail(episode, tile.feature, tick=tick, size=size, ranges=mosaic.depth_ranges, is_exact=is_exact)
        area = picture[tile.y : tile.y + tile.height, tile.x : tile.x + tile.width]
        area[...] = hatched(size) if drawn is None else drawn
    return picture


@lru_cache(maxsize=64)
def hatched(size: tuple[int, int]) -> NDArray[np.uint8]:
    """The tile of a camera without a frame: dark, with light diagonals.

    Args:
        size: (height, width).

    Returns:
        (*size, 3) uint8, read-only.
    """
    rows, columns = np.ogrid[: size[0], : size[1]]
    is_line = (rows + columns) % _HATCH_PITCH < _HATCH_PITCH // 4
    tile = np.repeat(np.where(is_line, _HATCH_LIGHT, _HATCH_DARK).astype(np.uint8)[..., None], 3, axis=2)
    tile.flags.writeable = False
    return tile
