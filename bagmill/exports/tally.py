"""Counts per feature while episodes go by, for the report."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset import HeldFeature
from bagmill.episodes import Episode
from bagmill.exports.report import ExportedFeature, PictureLoss
from bagmill.quality.fidelity import psnr_db


def picture_psnr_db(source: NDArray[np.uint8], written: NDArray[np.uint8]) -> float:
    """PSNR over R, G and B together, dB; 100 where the pictures are equal.

    Args:
        source: (H, W, 3), the episode's.
        written: The same, read back.
    """
    difference = source.astype(np.int16) - written
    return psnr_db(float(np.mean(np.square(difference, dtype=np.int32))))


@dataclass(slots=True)
class FeatureTally:
    """One feature's counts."""

    feature: HeldFeature
    written_as: str
    written_dtype: str
    num_ticks: int = 0
    num_invalid: int = 0
    num_interpolated: int = 0
    largest_change: float = 0.0
    num_not_finite: int = 0
    skew_p99_ms: float = math.nan
    _psnrs: list[float] = field(default_factory=list)
    _worst: float = math.inf
    _worst_at: str = ""

    def count(self, episode: Episode) -> None:
        """Take in what an episode says of the feature's ticks.

        Raises:
            StorageError: The episode is damaged.
        """
        name = self.feature.name
        is_valid = episode.valid(name)
        self.num_ticks += len(is_valid)
        self.num_invalid += int(np.count_nonzero(~is_valid))
        self.num_interpolated += int(np.count_nonzero(episode.interpolated(name)))
        if is_valid.any():
            skew_ms = float(np.percentile(np.abs(episode.skew_ns(name)[is_valid]), 99)) / 1e6
            self.skew_p99_ms = skew_ms if math.isnan(self.skew_p99_ms) else max(self.skew_p99_ms, skew_ms)

    def count_change(self, before: NDArray[np.floating], after: NDArray[np.floating]) -> None:
        """Take in what a change of dtype has done to values, (T, D)."""
        is_finite = np.isfinite(before)
        self.num_not_finite += int(np.count_nonzero(~is_finite))
        with np.errstate(invalid="ignore"):
            change = np.abs(before - after)
        self.largest_change = max(self.largest_change, float(np.max(change, initial=0.0, where=is_finite)))

    def count_picture(self, source: NDArray[np.uint8], written: NDArray[np.uint8], *, at: str) -> None:
        """Take in a picture that was read back; `at`: its episode and tick."""
        psnr = picture_psnr_db(source, written)
        if psnr < self._worst:
            self._worst, self._worst_at = psnr, at
        self._psnrs.append(psnr)

    def result(self) -> ExportedFeature:
        """All of it."""
        loss = None
        if self._psnrs:
            loss = PictureLoss(
                num_compared=len(self._psnrs),
                median=float(np.median(self._psnrs)),
                worst=self._worst,
                worst_at=self._worst_at,
            )
        return ExportedFeature(
            feature=self.feature.name,
            written_as=self.written_as,
            why_not=None,
            num_ticks=self.num_ticks,
            num_invalid=self.num_invalid,
            num_interpolated=self.num_interpolated,
            skew_p99_ms=self.skew_p99_ms,
            dtype=str(self.feature.dtype),
            written_dtype=self.written_dtype,
            largest_change=self.largest_change,
            num_not_finite=self.num_not_finite,
            psnr_db=loss,
        )


def left_out(name: str, why: str) -> ExportedFeature:
    """A feature that is not in the export."""
    return ExportedFeature(
        feature=name,
        written_as=None,
        why_not=why,
        num_ticks=0,
        num_invalid=0,
        num_interpolated=0,
        skew_p99_ms=math.nan,
        dtype=None,
        written_dtype=None,
        largest_change=0.0,
        num_not_finite=0,
        psnr_db=None,
    )
