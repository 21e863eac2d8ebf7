"""All that metrics ask of one image and its stored form, measured in one go."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bagmill.quality.fidelity import chroma_mean_square, mean_ssim, psnr_db
from bagmill.quality.picture_sums import PictureSums, sum_pair, sum_source


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
        if stored is source or np.array_equal(source, stored):
            return cls._made(sum_source(source), ssim=1.0)
        sums, windows = sum_pair(source, stored)
        return cls._made(sums, ssim=mean_ssim(windows))

    @classmethod
    def _made(cls, sums: PictureSums, *, ssim: float) -> PictureStatistics:
        num_pixels = sums.num_pixels
        mean = sums.luma / num_pixels
        of_chroma = chroma_mean_square(of_blue=sums.blue_squares / num_pixels, of_red=sums.red_squares / num_pixels)
        return cls(
            luma_psnr_db=psnr_db(sums.error_squares / num_pixels),
            chroma_psnr_db=psnr_db(of_chroma),
            ssim=ssim,
            mean_luma=mean,
            # max: rounding may leave a flat picture a hair below zero.
            luma_spread=math.sqrt(max(sums.luma_squares / num_pixels - mean**2, 0.0)),
            white_share=sums.num_white / num_pixels,
        )
