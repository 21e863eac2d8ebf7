"""How close a stored picture is to its source: pure formulas over sums.

Sources: luma and chroma as JPEG has them, ITU-T T.871 (JFIF) section 7 after ITU-R BT.601. PSNR is 10·log10(255²/MSE).
SSIM is equation 13 of Z. Wang, A. Bovik, H. Sheikh, E. Simoncelli, "Image quality assessment: from error visibility to
structural similarity", IEEE Transactions on Image Processing 13 (4), 2004, with K1 = 0.01 and K2 = 0.03, over uniform
windows of 8 × 8 pixels every 4 pixels on luma. The paper's Gaussian windows at every pixel cost many times as much; on
camera frames after JPEG (quality 60 to 95) their mean is lower by less than 0.003.
"""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from bagmill.quality.picture_sums import WindowMeans

MAX_PSNR_DB: Final = 100.0
"""What equal pictures are given, whose PSNR is infinite: a number that can be stored, compared and drawn."""

_TO_CB, _TO_CR = 0.5 / (1 - 0.114), 0.5 / (1 - 0.299)
_C1, _C2 = np.float32((0.01 * 255) ** 2), np.float32((0.03 * 255) ** 2)


def psnr_db(mean_squared_error: float) -> float:
    """PSNR of an 8-bit picture, dB; at most `MAX_PSNR_DB`."""
    if mean_squared_error <= 0:
        return MAX_PSNR_DB
    return min(10 * math.log10(255**2 / mean_squared_error), MAX_PSNR_DB)


def chroma_mean_square(*, of_blue: float, of_red: float) -> float:
    """The mean squared error of both chroma planes together.

    Chroma is a multiple of blue − luma and of red − luma, and its error of theirs.

    Args:
        of_blue: Mean square of (error of blue − error of luma).
        of_red: The same for red.
    """
    return (_TO_CB**2 * of_blue + _TO_CR**2 * of_red) / 2


def mean_ssim(windows: WindowMeans) -> float:
    """Mean structural similarity over windows; at most 1, which equal pictures have."""
    # With cov = mean(xy) − mean(x)·mean(y) and var(e) = mean(e²) − mean(e)², equation 13 is
    # (2·mean(x)·mean(y) + C1)·(2·cov + C2) over the same with mean(e)² and var(e) added to its factors: what tells the
    # pictures apart is not left to the last digits of sums of large squares.
    of_means = (windows.source + windows.error) * windows.source
    luminance = 2 * of_means + _C1
    structure = 2 * (windows.product - of_means) + _C2
    of_error = windows.error * windows.error
    similarity = luminance * structure
    similarity /= (luminance + of_error) * (structure + (windows.square - of_error))
    return float(np.mean(similarity, dtype=np.float64))
