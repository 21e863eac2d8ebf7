"""The same camera at several sizes."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from benchmarks.frames import camera_frames

Clip = NDArray[np.uint8]
"""Consecutive frames (N, H, W, 3)."""

NUM_FRAMES: Final = {"96x96": 60, "640x480": 40, "1280x720": 24, "1920x1080": 24}
"""Size → frames of a full run: fewer of the large ones, never fewer than the longest distance between key frames."""


def make_clip(size: str, num_frames: int) -> tuple[Clip, str]:
    """Natural frames of a size, cut to its shape and scaled.

    Args:
        size: `WxH`.
        num_frames: N.

    Returns:
        The frames, and where they are from.
    """
    width, height = map(int, size.split("x"))
    source = camera_frames(num_frames)
    full_height, full_width = source.pixels.shape[1:3]
    scale = min(full_width / width, full_height / height)
    left, top = (full_width - width * scale) / 2, (full_height - height * scale) / 2
    box = (left, top, full_width - left, full_height - top)
    frames = [
        np.asarray(Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS, box=box))
        for frame in source.pixels[:num_frames]
    ]
    change = "as they are" if scale == 1 else f"cut to {box[2] - left:.0f}×{box[3] - top:.0f} and scaled"
    return np.stack(frames), f"{source.about}; {change}"
