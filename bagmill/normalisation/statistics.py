"""What is kept of a snapshot's values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bagmill.profile import FeatureKind

QUANTILES: Final = (0.01, 0.05, 0.5, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class FeatureStatistics:
    """One feature's values over some episodes; a tuple has one entry a dimension, (D,).

    Signals: every value of every valid tick, exact. Images: per channel, in units of the pixel (0 to 255), over every pixel
    of the sampled frames. Depth: in stored units, over every pixel of the sampled frames that has a reading.
    """

    kind: FeatureKind
    names: tuple[str, ...]
    """Of the dimensions: joints, or `red`, `green`, `blue`, or `depth`."""
    unit: str
    """Of a signal's values, as the profile has it, where all columns share one; else empty."""
    scale_m: float | None
    """Of depth: metres that a stored unit is; None elsewhere, and where episodes do not say it."""
    num_ticks: int
    """Valid ticks of a signal; frames that were sampled of a camera."""
    count: tuple[int, ...]
    """Values that the numbers below are taken over."""
    num_left_out: tuple[int, ...]
    """Values that are not finite (nan, and infinities as of a laser that met nothing), pixels of depth without a reading."""
    mean: tuple[float, ...]
    std: tuple[float, ...]
    """Standard deviation: root of the mean squared distance from the mean. nan, as all others, where `count` is 0."""
    min: tuple[float, ...]
    max: tuple[float, ...]
    quantiles: Mapping[str, tuple[float, ...]]
    """By fraction, `0.01` to `0.99`; between two values in proportion, as NumPy's `quantile` has it."""
    named: tuple[bool, ...] = ()
    """Signals: whether a column's name is its own, by which values are matched, (D,); else it numbers a place."""
    units: tuple[str | None, ...] = ()
    """Signals: of every column, (D,), None where none is said; empty where it is not known."""

    def unit_of(self, place: int) -> str:
        """The unit of one column; empty where none is said."""
        return self.unit if not self.units else self.units[place] or ""


@dataclass(frozen=True, slots=True)
class Normalisation:
    """Statistics of a snapshot's features."""

    snapshot_id: str
    split: str | None
    """Whose episodes they are over; None: all."""
    num_episodes: int
    num_frames: int
    """Frames that were asked for of each camera."""
    seed: int
    """Of the choice of frames."""
    features: Mapping[str, FeatureStatistics]
    """By the feature's name."""
    left_out: Mapping[str, str] = field(default_factory=dict)
    """Feature whose episodes do not agree in columns, units or scale → what two of them have, and what to do."""
    notes: tuple[str, ...] = ()
    """What could not be compared: signals whose columns have no names."""
