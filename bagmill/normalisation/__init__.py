"""Statistics of features' values over a snapshot, by which a training run scales them: mean, deviation, range, quantiles.

Belongs here: how they are measured over more data than memory holds, and where they are kept. Stays out: numbers over
episodes (`dataset.statistics`), whether values are good (`quality`), the scaling itself (`training`).
"""

from bagmill.normalisation.measure import DEFAULT_FRAMES, measure_normalisation
from bagmill.normalisation.statistics import QUANTILES, FeatureStatistics, Normalisation
from bagmill.normalisation.store import find_normalisation, load_normalisation, save_normalisation

__all__ = [
    "DEFAULT_FRAMES",
    "QUANTILES",
    "FeatureStatistics",
    "Normalisation",
    "find_normalisation",
    "load_normalisation",
    "measure_normalisation",
    "save_normalisation",
]
