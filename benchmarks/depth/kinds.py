"""Depth of several kinds: what a codec makes of one says little about the next.

Smooth is a simulator's, noisy a time-of-flight camera's, holey the same with a third of it missing, stereo the sample
scene's, real a stereo camera's own recording where it is at hand.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bagmill.messages import image_decoder, to_depth
from bagmill.recordings import open_recording
from benchmarks.frames import HEIGHT, WIDTH, depth_frames

Depth = NDArray[np.uint16]
"""(N, H, W), mm unless it is a real camera's."""

_RECORDING: Final = "realsense_d4xx.bag"
_NOISE: Final = 0.002
"""Standard deviation of a time-of-flight camera's noise, of the distance."""
_HOLE_PX: Final = 9


def depth_kinds(num_frames: int, *, height: int = HEIGHT, width: int = WIDTH) -> dict[str, Depth]:
    """Frames of every kind that can be had here.

    Args:
        num_frames: Of each, at most 6: the real recording has no more.
        height: H; frames that are not made here are cut to it.
        width: W.

    Returns:
        Kind → (N, H, W).
    """
    rngs = [np.random.default_rng(seed) for seed in range(num_frames)]
    distances = [_surfaces(height, width, rng) for rng in rngs]
    noisy = [z * (1 + _NOISE * rng.standard_normal(z.shape)) for z, rng in zip(distances, rngs, strict=True)]
    holey = [np.where(_holes(z.shape, rng), 0, z) for z, rng in zip(noisy, rngs, strict=True)]
    kinds = {name: _in_mm(frames) for name, frames in (("smooth", distances), ("noisy", noisy), ("holey", holey))}
    kinds["stereo"] = np.ascontiguousarray(depth_frames(num_frames).pixels[:, :height, :width])
    real = list(islice(_recorded(), num_frames))
    if real:
        kinds["real"] = np.ascontiguousarray(np.stack(real)[:, :height, :width])
    return kinds


def about_kinds(kinds: dict[str, Depth]) -> list[str]:
    """What each kind is, a sentence each."""
    about = {
        "smooth": "curved surfaces and discs in whole mm, as a simulator renders them",
        "noisy": f"the same with {100 * _NOISE:.1f} % noise, as a time-of-flight camera has",
        "holey": "the same noise with holes",
        "stereo": "the sample scene's stereo camera: whole steps of disparity, noise, shadows behind edges",
        "real": f"{_RECORDING}: a RealSense D4xx, Z16",
    }
    lines = []
    for name, frames in kinds.items():
        num_values = len(np.unique(frames[0]))
        lines.append(f"{name}: {about[name]}; {np.mean(frames == 0):.0%} holes, {num_values} values in a frame.")
    if "real" not in kinds:
        lines.append(f"real: skipped, {_RECORDING} is not there (set BAGMILL_RECORDINGS).")
    return lines


def _surfaces(height: int, width: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """A wavy slope with tilted discs before and behind it."""
    y, x = np.mgrid[:height, :width]
    z: NDArray[np.float64] = 900 + 1.2 * y + 0.5 * x + 150 * np.sin(x / 90) + 100 * np.cos(y / 70)
    for _ in range(6):
        row, column = rng.uniform(0, height), rng.uniform(0, width)
        radius, step = rng.uniform(height / 16, height / 4), rng.uniform(-400, 400)
        z = np.where((y - row) ** 2 + (x - column) ** 2 < radius**2, z + step + 0.3 * (x - column), z)
    return z


def _holes(shape: tuple[int, ...], rng: np.random.Generator) -> NDArray[np.bool_]:
    """Blots over a third of a frame."""
    field = rng.standard_normal(tuple(size + _HOLE_PX for size in shape))
    for axis in (0, 1):
        total = np.cumsum(field, axis=axis)
        size = shape[axis]
        field = np.take(total, np.arange(size) + _HOLE_PX, axis=axis) - np.take(total, np.arange(size), axis=axis)
    return np.asarray(field > np.quantile(field, 2 / 3))


def _in_mm(frames: list[NDArray[np.float64]]) -> Depth:
    return np.rint(np.stack(frames)).clip(0, 65_535).astype(np.uint16)


def _recorded() -> Iterator[NDArray[np.uint16]]:
    beside = Path(__file__).resolve().parents[3] / "shared" / "recordings"
    path = Path(os.environ.get("BAGMILL_RECORDINGS", beside)) / _RECORDING
    if not path.is_file():
        return
    with open_recording(path) as recording:
        (channel,) = (each for each in recording.channels if each.topic.endswith("Depth_0/image/data"))
        decode = image_decoder(channel)
        for message in recording.messages([channel.id]):
            yield to_depth(decode(message.data))
