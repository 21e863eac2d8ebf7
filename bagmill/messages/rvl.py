"""RVL: depth as runs of holes and of differences from pixel to pixel, in steps of three bits.

Source: A. D. Wilson, "Fast Lossless Depth Image Compression", ISS 2017, section 4: the picture is, alternately, how many pixels
are zero, how many are not, and for each of these the difference to the last one that was not, with the sign in the lowest bit.
Every number is written in groups of three bits, the lowest first, with a fourth bit that says whether another group
follows; eight groups make a word of 32 bits, the first in its highest bits.
"""

from __future__ import annotations

import math
from array import array

import numpy as np
from numpy.typing import NDArray

from bagmill.errors import DecodeError

_MAX_GROUPS = 11
"""Of a number of 32 bits."""
_MAX_COUNT = 65535
_MAX_BYTES_PER_PIXEL = 3 * _MAX_GROUPS / 2
"""Where every pixel has a run of its own, and every number is as long as can be."""


def decode_rvl(data: memoryview, *, height: int, width: int) -> NDArray[np.uint16]:
    """Decode a depth frame.

    Args:
        data: Whole words of 32 bits, little-endian; what is behind the picture's last number is not looked at.
        height: Pixels.
        width: Pixels.

    Returns:
        (H, W) uint16.

    Raises:
        DecodeError: The data break off, or hold what no picture has.
    """
    num_pixels = height * width
    numbers = _numbers(data[: math.ceil(num_pixels * _MAX_BYTES_PER_PIXEL) + 8])
    pixels = np.zeros(num_pixels, np.uint16)
    pixel, place = 0, 0
    runs = array("q")
    """First pixel, place of its first difference, number of pixels, by turns."""
    while pixel < num_pixels:
        if place + 2 > len(numbers):
            raise DecodeError(f"RVL data that end after {pixel:,} of {num_pixels:,} pixels")
        num_zeros, num_others = numbers[place : place + 2].tolist()
        place += 2
        pixel += num_zeros
        if pixel + num_others > num_pixels or place + num_others > len(numbers) or not (num_zeros or num_others):
            raise DecodeError(f"RVL data that are damaged at pixel {pixel:,} of {num_pixels:,}")
        runs.extend((pixel, place, num_others))
        pixel += num_others
        place += num_others
    _fill(pixels, numbers, runs)
    return pixels.reshape(height, width)


def _fill(pixels: NDArray[np.uint16], numbers: NDArray[np.int64], runs: array[int]) -> None:
    """Set the pixels of runs."""
    first, place, length = np.frombuffer(runs, np.int64).reshape(-1, 3).T
    within = np.arange(length.sum()) - np.repeat(np.cumsum(length) - length, length)
    coded = numbers[np.repeat(place, length) + within]
    values = np.cumsum((coded >> 1) ^ -(coded & 1))
    if len(values) and not 0 <= values.min() <= values.max() <= _MAX_COUNT:
        raise DecodeError(f"RVL data that give depths of {values.min()} to {values.max()} counts")
    pixels[np.repeat(first, length) + within] = values


def _numbers(data: memoryview) -> NDArray[np.int64]:
    """All numbers in the data."""
    words = np.frombuffer(data[: len(data) // 4 * 4], "<u4").astype(">u4").view(np.uint8)
    groups = np.empty(2 * len(words), np.uint8)
    groups[0::2], groups[1::2] = words >> 4, words & 0xF
    last = np.flatnonzero(groups < 8)
    if not len(last):
        return np.empty(0, np.int64)
    first = np.empty_like(last)
    first[0], first[1:] = 0, last[:-1] + 1
    numbers = (groups[first] & 7).astype(np.int64)
    # Group after group of all numbers: most have one or two.
    which, place = np.flatnonzero(first < last), 1
    while len(which):
        if place >= _MAX_GROUPS:
            raise DecodeError("RVL data with a number of more than 32 bits")
        numbers[which] |= (groups[first[which] + place] & 7).astype(np.int64) << (3 * place)
        which = which[first[which] + place < last[which]]
        place += 1
    return numbers
