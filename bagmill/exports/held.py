"""What stands at a tick that has no value, in formats that know no such thing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bagmill.episodes import Episode

InvalidTicks = Literal["hold", "skip"]
"""`hold`: the last valid value stands, before the first one the first. `skip`: an episode with such a tick is left out."""


def held_ticks(is_valid: NDArray[np.bool_]) -> NDArray[np.int64]:
    """For every tick the one whose value stands for it: itself where valid, else the last valid one before, else the first.

    Args:
        is_valid: (T,), True at least once.

    Returns:
        (T,) positions.
    """
    valid = np.flatnonzero(is_valid)
    before = np.searchsorted(valid, np.arange(len(is_valid)), side="right") - 1
    return valid[np.maximum(before, 0)].astype(np.int64)


def reason_to_skip(episode: Episode, features: Sequence[str], *, invalid: InvalidTicks) -> str | None:
    """Why an episode is left out of an export; None where it is not.

    Raises:
        StorageError: The episode is damaged.
    """
    for name in features:
        is_valid = episode.valid(name)
        if not is_valid.any():
            return f"{name} is never valid"
        if invalid == "skip" and not is_valid.all():
            return f"{name} is not valid at {np.count_nonzero(~is_valid)} of {len(is_valid)} ticks"
    return None
