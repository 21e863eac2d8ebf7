"""Textures with the statistics of natural surfaces: noise over many octaves, coloured and, where wanted, grained."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def octave_noise(
    shape: tuple[int, int], rng: np.random.Generator, *, slope: float = 1.2, stretch: float = 1.0
) -> NDArray[np.float32]:
    """Noise whose amplitude falls with spatial frequency as in photographs, f^−slope.

    Args:
        shape: (H, W).
        rng: Where its phases come from.
        slope: 1 is the average of natural scenes; higher is smoother.
        stretch: How much longer its features are along x: wood has grain.

    Returns:
        float32 (H, W), mean 0, standard deviation 1; it tiles.
    """
    height, width = shape
    frequency_y = np.fft.fftfreq(height)[:, np.newaxis] / stretch
    frequency_x = np.fft.rfftfreq(width)[np.newaxis, :] * stretch
    frequency = np.hypot(frequency_y, frequency_x)
    frequency[0, 0] = 1.0  # the mean is taken out below
    amplitude = frequency**-slope
    amplitude[0, 0] = 0.0
    phase = rng.uniform(0, 2 * np.pi, frequency.shape)
    noise = np.fft.irfft2(amplitude * np.exp(1j * phase), s=shape)
    return np.asarray(noise / noise.std(), dtype=np.float32)


def coloured(
    shape: tuple[int, int],
    rng: np.random.Generator,
    *,
    colour: tuple[int, int, int],
    contrast: float = 18.0,
    slope: float = 1.2,
    stretch: float = 1.0,
) -> NDArray[np.float32]:
    """A surface: one colour, shaded by noise, its hue wandering a little.

    Returns:
        float32 (H, W, 3), counts of 0 to 255 before clipping.
    """
    shade = octave_noise(shape, rng, slope=slope, stretch=stretch)
    hue = octave_noise(shape, rng, slope=slope + 0.6)
    tint = np.array([1.0, 0.1, -0.9], dtype=np.float32)
    scale = np.array(colour, dtype=np.float32) / max(colour)
    surface = np.array(colour, dtype=np.float32) + contrast * (
        shade[..., np.newaxis] * scale + 0.25 * hue[..., np.newaxis] * tint
    )
    return np.asarray(surface, dtype=np.float32)
