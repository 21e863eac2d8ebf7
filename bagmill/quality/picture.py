"""All that metrics ask of one image and its stored form, measured in one go: luma is made once and then dropped."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.quality.fidelity import chroma_psnr_db, luma, luma_psnr_db, ssim

_WHITE = 250


@dataclass(frozen=True, slots=True)
class PictureStatistics:
    """Numbers of one image."""

    luma_psnr_db: float
    """Of the stored image against its source; `fidelity.MAX_PSNR_DB` where they are equal."""
    chroma_psnr_db: float
    """Of both chroma planes together."""
    ssim: float
    """Of luma."""
    mean_luma: float
    """Of the source, 0–255."""
    luma_spread: float
    """Standard deviation of the source's luma."""
    white_share: float
    """Share of the source's pixels whose luma is at least 250, 0–1."""

    @classmethod
    def of(cls, source: NDArray[Any], stored: NDArray[Any]) -> PictureStatistics:
        """Measure an image.

        Args:
            source: (H, W, 3) uint8 RGB, from the recording.
            stored: The same image as the episode gives it back.
        """
        source_luma, stored_luma = luma(source), luma(stored)
        flat = source_luma.reshape(-1)
        mean = float(np.mean(flat, dtype=np.float64))
        return cls(
            luma_psnr_db=luma_psnr_db(source_luma, stored_luma),
            chroma_psnr_db=chroma_psnr_db(source, stored, source_luma=source_luma, stored_luma=stored_luma),
            ssim=ssim(source_luma, stored_luma),
            mean_luma=mean,
            # max: rounding may leave a flat picture a hair below zero.
            luma_spread=math.sqrt(max(float(np.dot(flat, flat)) / flat.size - mean**2, 0.0)),
            white_share=np.count_nonzero(flat >= _WHITE) / flat.size,
        )
