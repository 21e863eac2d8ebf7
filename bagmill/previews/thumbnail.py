"""One stored frame as a small RGB picture."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

from bagmill.episodes import Episode
from bagmill.previews.colour import colour_depth, depth_range

DepthRanges = Mapping[str, tuple[int, int]]
"""Depth feature → (near, far) in counts."""
_RANGE_SAMPLES = 8
_JPEG_START = b"\xff\xd8"


def spread_ticks(num_ticks: int, *, count: int) -> list[int]:
    """Up to `count` different ticks from the first to the last, evenly spread."""
    ticks: list[int] = np.unique(np.linspace(0, num_ticks - 1, min(count, num_ticks)).round().astype(int)).tolist()
    return ticks


def cameras_of(episode: Episode) -> list[str]:
    """The features that are pictures: images first, then depth."""
    cameras = [name for name, feature in episode.features.items() if feature.kind != "signal"]
    return sorted(cameras, key=lambda name: episode.features[name].kind == "depth")


def depth_ranges(episode: Episode) -> dict[str, tuple[int, int]]:
    """Depth feature → (near, far) to colour it by, the same at every call.

    Raises:
        StorageError: A frame is damaged.
    """
    ranges = {}
    for name, feature in episode.features.items():
        if feature.kind == "depth":
            stored = np.flatnonzero(episode.stored_ticks(name))
            chosen = stored[spread_ticks(len(stored), count=_RANGE_SAMPLES)] if len(stored) else stored
            ranges[name] = depth_range(_depth_frame(episode, name, tick) for tick in chosen.tolist())
    return ranges


def fit_size(shape: tuple[int, ...], *, height: int, max_width: int) -> tuple[int, int]:
    """A picture's size at a given height, its aspect kept as far as even numbers allow.

    Args:
        shape: (H, W, …) of the frame.
        height: Wanted, lines; made even.
        max_width: A wider picture is made lower instead.

    Returns:
        (height, width), both even and at least 2.
    """
    lines, pixels = shape[:2]
    height = max(2, height - height % 2)
    width = _even(height * pixels / lines)
    if width > max_width:
        width = max_width - max_width % 2
        height = _even(width * lines / pixels)
    return height, width


def thumbnail(
    episode: Episode,
    name: str,
    *,
    tick: int,
    size: tuple[int, int],
    ranges: DepthRanges,
    is_exact: bool = False,
) -> NDArray[np.uint8] | None:
    """A stored frame at a smaller or larger size, depth in colours.

    Args:
        episode: The episode.
        name: An image or depth feature.
        tick: Position on the timeline.
        size: (height, width) wanted.
        ranges: Of `depth_ranges`.
        is_exact: Take a JPEG at its full size first, as training does, not at the fraction its decoder offers: slower.

    Returns:
        (*size, 3) uint8 RGB; None where the tick has no frame.

    Raises:
        StorageError: The frame is damaged.
    """
    if not episode.has_frame(name, tick):
        return None
    if name in ranges:
        near, far = ranges[name]
        # Colours first: a mean of two colours is a blur, a mean of two depths would be a surface that is not there.
        return _resized(colour_depth(_depth_frame(episode, name, tick), near=near, far=far), size)
    reduced = None if is_exact else _decode_reduced(episode.chunk_bytes(name, tick), size)
    return _resized(cast("NDArray[np.uint8]", episode.frame(name, tick)) if reduced is None else reduced, size)


def _depth_frame(episode: Episode, name: str, tick: int) -> NDArray[np.uint16]:
    return cast("NDArray[np.uint16]", episode.frame(name, tick))


def _decode_reduced(data: memoryview | None, size: tuple[int, int]) -> NDArray[np.uint8] | None:
    """A JPEG decoded at the smallest fraction that is not smaller than wanted; None where it is none, or damaged."""
    if data is None or bytes(data[:2]) != _JPEG_START:
        return None
    try:
        reduced: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            data, colorspace="RGB", min_height=size[0], min_width=size[1], strict=False
        )
    except ValueError:
        # The episode's reader will say what is wrong with it.
        return None
    return reduced


def _resized(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if rgb.shape[:2] == size:
        return rgb
    height, width = size
    picture = Image.fromarray(rgb)
    is_smaller = height <= rgb.shape[0]
    if is_smaller and rgb.shape[0] % height == 0 and rgb.shape[1] % width == 0:
        # Whole pixels into one: the same mean as a box filter's, in a quarter of its time.
        return np.asarray(picture.reduce((rgb.shape[1] // width, rgb.shape[0] // height)))
    resampling = Image.Resampling.BOX if is_smaller else Image.Resampling.BILINEAR
    return np.asarray(picture.resize((width, height), resampling))


def _even(length: float) -> int:
    return max(2, 2 * round(length / 2))
