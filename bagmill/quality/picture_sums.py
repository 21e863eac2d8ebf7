"""One walk over a picture and its stored form: every sum that the numbers of a picture are made from.

NumPy is fast here only where it neither allocates nor comes back to an array that has left the cache. So the walk goes by
bands of rows, in a scratch that its thread keeps, and all sums of a band are taken while it is there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_LUMA_WEIGHTS: Final = np.array([0.299, 0.587, 0.114], np.float32)
"""Of red, green and blue: ITU-R BT.601, as JPEG has it."""
_STEP: Final = 4
"""Windows are 2 × 2 tiles of this many pixels each way."""
_BAND_PIXELS: Final = 1 << 16
_WHITE: Final = np.float32(250 - 0.0005)
"""Luma is a whole number of thousandths: half of one below 250, so that rounding to float32 cannot matter."""


@dataclass(slots=True)
class PictureSums:
    """Sums over all pixels; luma is x in the source, and x + e as stored."""

    num_pixels: int
    luma: float = 0.0
    luma_squares: float = 0.0
    num_white: int = 0
    """Pixels of the source whose luma is at least 250."""
    error_squares: float = 0.0
    """Of e."""
    blue_squares: float = 0.0
    """Of (error of blue − e)."""
    red_squares: float = 0.0
    """Of (error of red − e)."""


@dataclass(frozen=True, slots=True)
class WindowMeans:
    """Means over windows of 8 × 8 pixels every 4 pixels, each (H / 4 − 1, W / 4 − 1).

    A rim of fewer than 4 pixels at the lower and right edge lies in no window. A picture too small for one window is one.
    """

    source: NDArray[np.float32]
    """Of x."""
    error: NDArray[np.float32]
    """Of e."""
    product: NDArray[np.float32]
    """Of x · (x + e)."""
    square: NDArray[np.float32]
    """Of e²."""


def sum_source(source: NDArray[Any]) -> PictureSums:
    """The sums that need no stored form; those of its error are zero.

    Args:
        source: (H, W, 3) uint8 RGB.
    """
    height, width = source.shape[:2]
    sums = PictureSums(height * width)
    for rows in _bands(height, width):
        picture, _, luma, *_ = _scratch(len(rows), width)
        np.copyto(picture, source[rows.start : rows.stop])
        _add_source(sums, np.matmul(picture, _LUMA_WEIGHTS, out=luma))
    return sums


def sum_pair(source: NDArray[Any], stored: NDArray[Any]) -> tuple[PictureSums, WindowMeans]:
    """All sums, and the windows of SSIM.

    Args:
        source: (H, W, 3) uint8 RGB.
        stored: The same picture as stored.
    """
    height, width = source.shape[:2]
    sums = PictureSums(height * width)
    tiles = np.zeros((4, *_num_tiles(height, width)), np.float32)
    for rows in _bands(height, width):
        picture, error, luma, luma_error, plane = _scratch(len(rows), width)
        np.copyto(picture, source[rows.start : rows.stop])
        np.copyto(error, stored[rows.start : rows.stop])
        error -= picture
        _add_source(sums, np.matmul(picture, _LUMA_WEIGHTS, out=luma))
        sums.error_squares += _square_sum(np.matmul(error, _LUMA_WEIGHTS, out=luma_error))
        sums.red_squares += _square_sum(np.subtract(error[..., 0], luma_error, out=plane))
        sums.blue_squares += _square_sum(np.subtract(error[..., 2], luma_error, out=plane))
        of_source, of_error, of_product, of_square = _tiles_of(tiles, rows)
        _add_tiles(luma, of_source)
        _add_tiles(luma_error, of_error)
        np.add(luma, luma_error, out=plane)
        _add_tiles(np.multiply(plane, luma, out=plane), of_product)
        _add_tiles(np.square(luma_error, out=plane), of_square)
    return sums, _window_means(tiles, sums.num_pixels)


def _add_source(sums: PictureSums, luma: NDArray[np.float32]) -> None:
    sums.luma += _sum(np.vecdot(luma, _scratches.ones))
    sums.luma_squares += _square_sum(luma)
    sums.num_white += int(np.count_nonzero(luma >= _WHITE))


def _square_sum(plane: NDArray[np.float32]) -> float:
    # Row by row, so that float32 sums up no more than a row, and BLAS sees no reason to start threads.
    return _sum(np.vecdot(plane, plane))


def _sum(rows: NDArray[np.float32]) -> float:
    return float(np.sum(rows, dtype=np.float64))


def _num_tiles(height: int, width: int) -> tuple[int, int]:
    """How many tiles down and across; one for a picture too small for a window of four."""
    if min(height, width) < 2 * _STEP:
        return 1, 1
    return height // _STEP, width // _STEP


def _tiles_of(tiles: NDArray[np.float32], rows: range) -> NDArray[np.float32]:
    """The tiles that lie in a band."""
    return tiles if tiles.shape[2] == 1 else tiles[:, rows.start // _STEP : rows.stop // _STEP]


def _add_tiles(plane: NDArray[np.float32], tiles: NDArray[np.float32]) -> None:
    """Sum up a band's plane tile by tile, or as the one tile that there is."""
    if tiles.shape[1] == 1:
        tiles += plane.sum()
        return
    height, width = _STEP * tiles.shape[0], _STEP * tiles.shape[1]
    # Rows first: whole rows are added, contiguous in memory.
    in_rows = _scratches.rows[: len(tiles)]
    np.add(plane[0:height:_STEP], plane[1:height:_STEP], out=in_rows)
    in_rows += plane[2:height:_STEP]
    in_rows += plane[3:height:_STEP]
    np.add(in_rows[:, 0:width:_STEP], in_rows[:, 1:width:_STEP], out=tiles)
    tiles += in_rows[:, 2:width:_STEP]
    tiles += in_rows[:, 3:width:_STEP]


def _window_means(tiles: NDArray[np.float32], num_pixels: int) -> WindowMeans:
    if tiles.shape[2] == 1:
        return WindowMeans(*(tiles / np.float32(num_pixels)))
    of_two = tiles[:, :-1] + tiles[:, 1:]
    windows = of_two[..., :-1] + of_two[..., 1:]
    windows *= np.float32(1 / (2 * _STEP) ** 2)
    return WindowMeans(*windows)


def _bands(height: int, width: int) -> Iterator[range]:
    """Rows of every band, from one that begins a tile on."""
    num_rows = _band_rows(width)
    return (range(top, min(top + num_rows, height)) for top in range(0, height, num_rows))


def _band_rows(width: int) -> int:
    return max(_STEP, _BAND_PIXELS // width // _STEP * _STEP)


class _Scratch(threading.local):
    """A thread's own arrays, kept from one picture to the next: their pages are there already."""

    width = 0
    pictures: NDArray[np.float32]
    planes: NDArray[np.float32]
    rows: NDArray[np.float32]
    ones: NDArray[np.float32]


_scratches = _Scratch()


def _scratch(num_rows: int, width: int) -> tuple[NDArray[np.float32], ...]:
    """Two arrays (num_rows, width, 3) and three (num_rows, width), whatever is in them."""
    if _scratches.width != width:
        most_rows = _band_rows(width)
        _scratches.pictures = np.empty((2, most_rows, width, 3), np.float32)
        _scratches.planes = np.empty((3, most_rows, width), np.float32)
        _scratches.rows = np.empty((most_rows // _STEP, width), np.float32)
        _scratches.ones = np.ones(width, np.float32)
        _scratches.width = width
    return (*_scratches.pictures[:, :num_rows], *_scratches.planes[:, :num_rows])
