"""The fidelity metrics on one camera's frames alone, for whoever has to choose how they are stored."""

from __future__ import annotations

from collections.abc import Sequence

from bagmill.quality.metric import FrameSample
from bagmill.quality.metrics.jpeg_psnr import JpegPsnr
from bagmill.quality.metrics.jpeg_psnr_chroma import JpegPsnrChroma
from bagmill.quality.metrics.jpeg_ssim import JpegSsim

_FIDELITY = (JpegPsnr(), JpegPsnrChroma(), JpegSsim())


def measure_fidelity(samples: Sequence[FrameSample]) -> dict[str, float]:
    """The lowest value of every fidelity metric over a camera's audited images, by the name of its check.

    The same numbers as the checks of stage `episode` give. Empty where there are no samples; higher is better in all.
    """
    if not samples:
        return {}
    return {metric.name: min(metric.of(sample) for sample in samples) for metric in _FIDELITY}
