"""What a sensor adds to a scene: light that falls off and wanders, shot noise, and the errors of stereo depth.

All of it is whole-number arithmetic over banks of noise made once: a frame takes a few milliseconds.
"""

from __future__ import annotations

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

T = TypeVar("T", np.int16, np.uint16, np.float32)

_BANK_MARGIN = 256
"""A frame's noise is a window into a larger bank, at one of 256 × 256 places, mirrored or not."""

DISPARITY_STEPS = 32
"""Steps a pixel of disparity is told apart in."""
FOCAL_TIMES_BASELINE_PX_MM = 19_250
"""Focal length 385 px, baseline 50 mm: disparity in pixels is this over depth in mm."""


class Sensor:
    """Noise and light for frames of one size.

    Args:
        shape: (H, W) of its frames.
        rng: Where the banks come from.
        read_noise: Standard deviation in black, counts.
        shot_noise: Variance per count of signal.
    """

    def __init__(
        self, shape: tuple[int, int], rng: np.random.Generator, *, read_noise: float = 0.9, shot_noise: float = 0.016
    ) -> None:
        self._shape = shape
        height, width = (size + _BANK_MARGIN for size in shape)
        # A demosaicked and denoised picture's noise is soft: neighbours share some of it, and colours most of it.
        white = rng.standard_normal((height + 1, width + 1), dtype=np.float32)
        soft = white[:-1, :-1] + 0.45 * (white[1:, :-1] + white[:-1, 1:]) + 0.2 * white[1:, 1:]
        self._luma = np.asarray(64 * soft / soft.std(), dtype=np.int16)
        chroma = rng.standard_normal((height // 2 + 1, width // 2 + 1, 3), dtype=np.float32)
        self._chroma = np.rint(0.5 * chroma).astype(np.int16).repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        counts = np.arange(256)
        self._sigma = np.asarray(16 * np.sqrt(read_noise**2 + shot_noise * counts), dtype=np.int16)
        self._gain = _falling_light((height, width))
        wide = rng.standard_normal((height // 2 + 2, width // 2 + 2), dtype=np.float32)
        wide = wide[:-1, :-1] + wide[1:, :-1] + wide[:-1, 1:] + wide[1:, 1:]
        fine = rng.standard_normal((height, width), dtype=np.float32)
        wide = wide.repeat(2, axis=0).repeat(2, axis=1)[:height, :width]
        self._disparity_noise = np.asarray(1.4 * wide / wide.std() + 0.5 * fine, dtype=np.float32)
        steps = np.arange(1, 1 << 14)
        depth = np.rint(FOCAL_TIMES_BASELINE_PX_MM * DISPARITY_STEPS / steps)
        self._depth_of_steps = np.concatenate([[0], np.minimum(depth, 65_535)]).astype(np.uint16)

    def expose(
        self, scene: NDArray[np.uint8], *, light: tuple[int, int], rng: np.random.Generator
    ) -> NDArray[np.uint8]:
        """A frame as the camera delivers it.

        Args:
            scene: uint8 (H, W, 3), evenly lit and free of noise.
            light: Where the light stands: (row, column) of the window into the light's fall, each 0 to 255.
            rng: Of this frame.

        Returns:
            uint8 (H, W, 3).
        """
        gain = self._window(self._gain, light)
        lit = (scene * gain[..., np.newaxis]) >> 8
        noise = self._noise(self._luma, rng) * self._sigma[lit[..., 1]]
        noise = (noise + 512) >> 10
        exposed = lit.astype(np.int16) + self._noise(self._chroma, rng)
        exposed += noise[..., np.newaxis]
        return np.asarray(np.clip(exposed, 0, 255, out=exposed), dtype=np.uint8)

    def measure_depth(self, disparity: NDArray[np.int16], *, rng: np.random.Generator) -> NDArray[np.uint16]:
        """Depth as a stereo camera delivers it: noise that grows with its square, holes behind edges.

        Args:
            disparity: int16 (H, W), steps of 1 / `DISPARITY_STEPS` px, true.
            rng: Of this frame.

        Returns:
            uint16 (H, W), mm, 0 where nothing was measured.
        """
        noise = self._noise(self._disparity_noise, rng)
        measured = disparity + np.rint(noise).astype(np.int16)
        depth: NDArray[np.uint16] = self._depth_of_steps[np.maximum(measured, 1)]
        hole = np.abs(noise) > 5.2
        for shift in (2, 3, 4, 6, 8, 11, 14, 18):
            # What lies `shift` px to the right is nearer by more than as many px of disparity, so it hides this pixel
            # from the second camera.
            hole[:, :-shift] |= disparity[:, shift:] - disparity[:, :-shift] > shift * DISPARITY_STEPS
        edge = np.abs(np.diff(disparity, axis=0)) > DISPARITY_STEPS
        hole[1:] |= edge
        hole[:-1] |= edge
        # The left rim is seen by one camera only.
        hole[:, :14] = True
        depth[hole] = 0
        return depth

    def _noise(self, bank: NDArray[T], rng: np.random.Generator) -> NDArray[T]:
        row, column, mirror = rng.integers(0, (_BANK_MARGIN, _BANK_MARGIN, 2))
        window = self._window(bank, (row, column))
        return window[::-1] if mirror else window

    def _window(self, bank: NDArray[T], corner: tuple[int, int]) -> NDArray[T]:
        row, column = corner
        return bank[row : row + self._shape[0], column : column + self._shape[1]]


def _falling_light(shape: tuple[int, int]) -> NDArray[np.uint16]:
    """Gain of a lamp beside the scene, uint16 (H, W), 256 for 1: from 1 near it down to a half."""
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    distance = np.hypot(x - 0.35, y - 0.3)
    # No more than 256: times 255 it still fits into 16 bits.
    return np.asarray(256 * (0.5 + 0.5 * np.exp(-2.2 * distance**2)), dtype=np.uint16)
