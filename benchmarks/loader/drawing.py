"""A simulated scene: a T that is pushed about a white table towards its outline, flat colours with soft edges."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

_TABLE: Final = (255, 255, 255)
_GOAL: Final = (144, 238, 144)
_BLOCK: Final = (119, 136, 153)
_PUSHER: Final = (65, 105, 225)
_BAR: Final = (0.2, 0.05)
"""Half width and half height of the T's bar, of the picture's height; the stem is a bar stood on end."""
_PUSHER_RADIUS: Final = 0.03


def draw_episode(size: tuple[int, int], num_ticks: int, *, seed: int, is_mirrored: bool) -> NDArray[np.uint8]:
    """An episode's frames.

    Args:
        size: (height, width).
        num_ticks: T.
        seed: Of the paths.
        is_mirrored: As a second camera sees it from the other side.

    Returns:
        (T, H, W, 3) uint8, RGB.
    """
    height, width = size
    random = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width] + 0.5
    points = np.stack([columns / height, rows / height])
    aspect = width / height
    phase = random.uniform(0, 2 * np.pi, 4)
    frames = np.empty((num_ticks, height, width, 3), np.uint8)
    blank = np.broadcast_to(np.array(_TABLE, np.float32), (height, width, 3)).copy()
    _paint(blank, _GOAL, _t_distance(points, (0.5 * aspect, 0.5), np.pi / 4), height)
    for tick in range(num_ticks):
        turn = 2 * np.pi * tick / 150
        block = (aspect * (0.5 + 0.2 * np.sin(turn + phase[0])), 0.5 + 0.2 * np.sin(0.7 * turn + phase[1]))
        pusher = (block[0] + 0.25 * np.cos(turn + phase[2]), block[1] + 0.25 * np.sin(turn + phase[2]))
        frame = blank.copy()
        _paint(frame, _BLOCK, _t_distance(points, block, turn + phase[3]), height)
        _paint(frame, _PUSHER, np.hypot(points[0] - pusher[0], points[1] - pusher[1]) - _PUSHER_RADIUS, height)
        frames[tick] = np.rint(frame)
    return np.ascontiguousarray(frames[:, :, ::-1]) if is_mirrored else frames


def _t_distance(points: NDArray[np.float64], centre: tuple[float, float], angle: float) -> NDArray[np.float64]:
    """How far each point is outside of a T; negative within."""
    x, y = points[0] - centre[0], points[1] - centre[1]
    along, across = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    half_width, half_height = _BAR
    bar = np.maximum(np.abs(along) - half_width, np.abs(across) - half_height)
    stem = np.maximum(np.abs(along) - half_height, np.abs(across - half_width) - half_width)
    nearest: NDArray[np.float64] = np.minimum(bar, stem)
    return nearest


def _paint(
    frame: NDArray[np.float32], colour: tuple[int, int, int], distance: NDArray[np.float64], height: int
) -> None:
    cover = np.clip(0.5 - distance * height, 0, 1).astype(np.float32)[..., None]
    frame += cover * (np.array(colour, np.float32) - frame)
