"""Pictures as files that are no larger than asked."""

from __future__ import annotations

import io
from typing import Any, Final, Literal

import numpy as np
from PIL import Image

_QUALITIES: Final = {"JPEG": (85, 75, 65, 55, 45), "AVIF": (30, 20)}
_SETTINGS: Final[dict[str, dict[str, Any]]] = {
    "JPEG": {"optimize": True},
    # The fastest: slower ones take a sixth less room in five times as long.
    "AVIF": {"speed": 10, "max_threads": 1},
}
_SHRINK: Final = 0.8
_LEAST_SIZE: Final = 64
"""Pixels of the longer side: below that nothing is gained any more."""


def fitting_picture(picture: Image.Image, kind: Literal["JPEG", "AVIF"], *, max_bytes: int) -> bytes:
    """Encode a picture; quality, then size are lowered until it fits.

    Args:
        picture: RGB.
        kind: AVIF is half as large as JPEG where little room is left, and takes longer.
        max_bytes: Most of the file.
    """
    while True:
        for quality in _QUALITIES[kind]:
            file = io.BytesIO()
            picture.save(file, kind, quality=quality, **_SETTINGS[kind])
            if len(file.getvalue()) <= max_bytes or max(picture.size) < _LEAST_SIZE:
                return file.getvalue()
        width, height = (np.array(picture.size) * _SHRINK).astype(int).clip(1).tolist()
        picture = picture.resize((width, height), Image.Resampling.BOX)
