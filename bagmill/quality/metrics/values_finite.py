"""Numbers that are none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from bagmill.profile import Severity
from bagmill.quality.metric import Direction, EpisodeEvidence, Measurement, Stage


class ValuesFinite:
    """Values of valid ticks that are nan, or infinite where the profile does not keep infinite ones."""

    name = "values_finite"
    stage: Stage = "episode"
    unit = "values"
    direction: Direction = "lower"
    threshold: float | None = 0.0
    severity: Severity = "error"
    description = (
        "Numbers of each signal that are not a number or infinite. A failure means that a driver published "
        "garbage: training on it makes every loss not a number."
    )

    def measure(self, evidence: EpisodeEvidence) -> list[Measurement]:
        """One count a signal."""
        measurements = []
        for feature in evidence.plan.features:
            if feature.name not in evidence.signals:
                continue
            name, values = feature.name, evidence.signals[feature.name]
            is_kept = np.zeros(values.shape[1], np.bool_)
            for part in feature.parts:
                is_kept[list(part.columns)] = part.spec.infinity == "keep"
            is_good = np.isfinite(values) | (np.isinf(values) & is_kept)
            is_bad = ~is_good & evidence.timeline.features[name].is_valid[:, np.newaxis]
            measurements.append(_measure(name, values, is_bad))
        return measurements


def _measure(name: str, values: NDArray[np.floating], is_bad: NDArray[np.bool_]) -> Measurement:
    ticks = np.flatnonzero(is_bad.any(axis=1))
    if not len(ticks):
        return Measurement(name, 0.0)
    num_nan = int(np.count_nonzero(is_bad & np.isnan(values)))
    num_infinite = int(np.count_nonzero(is_bad)) - num_nan
    kinds = [f"{count:,} {kind}" for count, kind in ((num_nan, "nan"), (num_infinite, "infinite")) if count]
    remedies = ["say `nan: invalid` if they mean that nothing was measured"] if num_nan else []
    if num_infinite:
        remedies.append("say `infinity: keep` with `rule: nearest` if they are values, as a laser's out of range")
    note = f"{' and '.join(kinds)}, at {len(ticks):,} ticks, the first {ticks[0]}"
    remedy = f"Of feature {name}, {', '.join(remedies)}"
    return Measurement(name, float(num_nan + num_infinite), note, remedy)
