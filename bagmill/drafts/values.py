"""What the values of a field were, as far as they were looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from bagmill.drafts.odd_values import OddValues

_MOST_COUNTED = 8
_RISING = 0.95
_WHOLE_BELOW = 2.0**53
"""float64 holds every whole number up to here."""
_SEAM_STEP = 5.5
"""Radians between two messages that only the seam of a turn explains."""


@dataclass(frozen=True, slots=True)
class FieldValues:
    """A sample of one field's values, runs of messages that follow each other."""

    num_looked_at: int
    """Messages of the sample, unreadable ones included."""
    num_unreadable: int
    """Messages that do not hold the field as it is drafted: damaged, too short, without the joints."""
    widths: tuple[int, ...]
    """How many numbers the messages hold, rising; several for a list whose length changes."""
    usual_width: int
    usual_share: float
    """Of the readable messages, those that hold as many numbers as most do."""
    nan_share: float
    """Of those, the ones with a nan in them."""
    nan_columns: tuple[int, ...]
    """Numbers that are nan in every message."""
    has_other_nan: bool
    """Other numbers are nan, too, in some messages."""
    infinite_share: float
    """Of those, the ones with an infinity in them."""
    zero_share: float
    """Of those, the ones that are zero all over."""
    lowest: float
    """Of all finite numbers; nan where there is none."""
    highest: float
    column_bounds: tuple[tuple[float, float], ...]
    """(lowest, highest) finite number of every place; nan where there is none."""
    num_distinct: int
    """Different numbers, up to 9 counted; only whole ones count as few."""
    is_whole: bool
    """Every finite number is whole."""
    has_seam: bool
    """Numbers leap between the ends of a turn in radians, and nowhere else."""
    has_seam_in_degrees: bool
    is_rising: bool
    """A single number that is hardly ever lower than in the message before."""
    is_constant: bool
    """Every message holds the same, and there are several."""
    problem: str | None = None
    """Why the first of the unreadable messages could not be read."""

    @property
    def is_beyond_float64(self) -> bool:
        """Some numbers are so large that float64 does not hold every whole number there."""
        return max(-self.lowest, self.highest) >= _WHOLE_BELOW

    def with_all(self, odd: OddValues) -> FieldValues:
        """The same, with the shares of odd messages taken over more than the sample, where that was possible."""
        if odd.num_read <= self.num_looked_at:
            return self
        return replace(
            self,
            nan_share=odd.num_nan / odd.num_read,
            infinite_share=odd.num_infinite / odd.num_read,
            zero_share=odd.num_zero / odd.num_read,
        )


def measure_values(rows: Sequence[NDArray[np.float64] | None], *, run_starts: Sequence[int] = (0,)) -> FieldValues:
    """Measure a sample.

    Args:
        rows: One (D,) a message, in the recording's order; None where it could not be read.
        run_starts: Places in `rows` of messages that do not follow the one before them.
    """
    readable = [row for row in rows if row is not None]
    counts = np.bincount([len(row) for row in readable]) if readable else np.zeros(1, dtype=np.int64)
    usual = int(np.argmax(counts))
    is_kept = [row is not None and len(row) == usual for row in rows]
    kept = [row for row in readable if len(row) == usual]
    run_of_row = np.searchsorted(run_starts, np.flatnonzero(is_kept), side="right")
    follows = np.diff(run_of_row) == 0
    table = np.array(kept, dtype=np.float64).reshape(len(kept), usual)
    is_nan, is_infinite = np.isnan(table), np.isinf(table)
    finite = table[np.isfinite(table)]
    distinct = np.unique(finite)
    return FieldValues(
        num_looked_at=len(rows),
        num_unreadable=len(rows) - len(readable),
        widths=tuple(np.flatnonzero(counts).tolist()),
        usual_width=usual,
        usual_share=len(kept) / max(len(readable), 1),
        nan_share=_share(np.asarray(is_nan.any(axis=1))),
        nan_columns=tuple(np.flatnonzero(np.all(is_nan, axis=0)).tolist()) if len(table) else (),
        has_other_nan=len(table) > 0 and bool(np.any(is_nan & ~np.all(is_nan, axis=0))),
        infinite_share=_share(np.asarray(is_infinite.any(axis=1))),
        zero_share=_share(np.asarray((table == 0).all(axis=1))) if usual else 0.0,
        lowest=float(finite.min()) if len(finite) else float("nan"),
        highest=float(finite.max()) if len(finite) else float("nan"),
        column_bounds=tuple(_bounds(column) for column in table.T),
        num_distinct=min(len(distinct), _MOST_COUNTED + 1),
        is_whole=bool(np.all(distinct == np.round(distinct))),
        has_seam=_has_seam(table, follows, turn=2 * np.pi),
        is_rising=usual == 1 and len(table) > 1 and float(np.mean(table[1:, 0] >= table[:-1, 0])) >= _RISING,
        is_constant=len(table) > 1 and bool(np.all((table == table[0]) | (is_nan & is_nan[0]))),
        has_seam_in_degrees=_has_seam(table, follows, turn=360.0),
    )


def _bounds(column: NDArray[np.float64]) -> tuple[float, float]:
    finite = column[np.isfinite(column)]
    return (float(finite.min()), float(finite.max())) if len(finite) else (float("nan"), float("nan"))


def _share(is_so: NDArray[np.bool_]) -> float:
    return float(np.mean(is_so)) if len(is_so) else 0.0


def _has_seam(table: NDArray[np.float64], follows: NDArray[np.bool_], *, turn: float) -> bool:
    """A column whose only long steps lead from one end of a turn to the other."""
    if len(table) < 3:
        return False
    with np.errstate(invalid="ignore"):
        steps = np.abs(np.diff(table, axis=0)[follows]) * (2 * np.pi / turn)
        scaled = np.abs(table) * (2 * np.pi / turn)
    is_leap = (steps > _SEAM_STEP) & (steps < 2 * np.pi + 0.01)
    is_long = (steps > 2 * np.pi - _SEAM_STEP) & ~is_leap
    fits = np.all((scaled <= np.pi + 0.01) | ~np.isfinite(scaled), axis=0) | np.all(
        ((table >= -0.01) & (scaled <= 2 * np.pi + 0.01)) | ~np.isfinite(scaled), axis=0
    )
    # A seam crossed is rare among steps; noise over the whole range is not.
    is_rare = np.count_nonzero(is_leap, axis=0) * 3 <= len(steps)
    return bool(np.any(is_leap.any(axis=0) & ~is_long.any(axis=0) & fits & is_rare))
