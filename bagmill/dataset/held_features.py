"""What each episode of a snapshot holds, from the column that says it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from bagmill.profile import FeatureKind

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`


@dataclass(frozen=True, slots=True)
class HeldFeature:
    """A feature as an episode holds it, or several that hold it alike."""

    name: str
    kind: FeatureKind
    shape: tuple[int, ...]
    """Of one tick's value."""
    dtype: np.dtype[Any]


def held_features(table: pd.DataFrame) -> list[Mapping[str, HeldFeature]]:
    """By row of a snapshot's table: feature → how the episode holds it; the same mapping for episodes that are alike."""
    known: dict[str, Mapping[str, HeldFeature]] = {}
    found = []
    for text in table["features"].tolist():
        # Parsed once for thousands of episodes that are alike.
        if text not in known:
            known[text] = {
                name: HeldFeature(name, said["kind"], tuple(said["shape"]), np.dtype(said["dtype"]))
                for name, said in json.loads(text).items()
            }
        found.append(known[text])
    return found
