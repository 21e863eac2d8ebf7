"""A field's draft, corrected by the values that were seen in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from bagmill.drafts.fields import FieldChoice
from bagmill.drafts.rules import is_measured
from bagmill.drafts.values import FieldValues

_MOST_OF_ANOTHER_WIDTH = 0.02
_ENOUGH = 20
"""Messages that must be seen before a number counts as one of a few."""
_FEW = 6
_WIDE = ("int64", "uint64")


@dataclass(frozen=True, slots=True)
class Refined:
    """How a field is to be drafted."""

    rule: str
    settings: Mapping[str, object] = field(default_factory=dict)
    """`nan` and `infinity`, where the values ask for them."""
    notes: tuple[str, ...] = ()
    why_left_out: str | None = None
    valid_share: float = 1.0
    num_taken: int | None = None
    """How many of the numbers are taken, the first of them; None: all."""


def refine(choice: FieldChoice, values: FieldValues | None) -> Refined:
    """Correct a field's rule by its values, and say what is to be minded.

    Args:
        choice: By name and type.
        values: What was seen; None where nobody looked.
    """
    if values is None or not values.num_looked_at:
        return Refined(choice.rule)
    if _is_inexact(choice, values):
        return Refined(choice.rule, why_left_out="whole numbers beyond 2**53, which float64 does not hold exactly")
    if why := _why_left_out(choice, values):
        return Refined(choice.rule, why_left_out=why)
    if choice.rule != "slerp" and (num_measured := _num_before_nan(values)):
        # Lists of a fixed length are filled up with nan: PX4's twelve motors of a quadrotor.
        note = f"numbers {num_measured} to {values.usual_width - 1} are nan in every message, and left out"
        return Refined(choice.rule, notes=(note,), valid_share=values.usual_share, num_taken=num_measured)
    settings: dict[str, object] = {}
    notes: list[str] = []
    valid_share = (1 - values.num_unreadable / values.num_looked_at) * values.usual_share
    rule = _rule(choice, values, notes)
    if values.nan_share:
        settings["nan"] = "invalid"
        valid_share *= 1 - values.nan_share
        notes.append(f"{_percent(values.nan_share)} of the messages hold nan, which counts as not measured")
    if rule == "slerp" and values.zero_share:
        settings["nan"] = "invalid"
        valid_share *= 1 - values.zero_share
        notes.append(f"{_percent(values.zero_share)} of the quaternions are zero, which counts as not measured")
    if values.infinite_share:
        settings["infinity"] = "keep"
        rule = rule if rule == "latest" else "nearest"
        notes.append(f"{_percent(values.infinite_share)} of the messages hold inf: kept, and never interpolated")
    return Refined(rule, settings, tuple(notes), valid_share=valid_share)


def _why_left_out(choice: FieldChoice, values: FieldValues) -> str | None:
    if values.num_unreadable == values.num_looked_at:
        return "no message can be read" + (f" ({values.problem})" if values.problem else "")
    if 1 - values.usual_share > _MOST_OF_ANOTHER_WIDTH:
        lowest, highest = values.widths[0], values.widths[-1]
        why = f"it holds {lowest} to {highest} numbers, a feature always as many"
        fixed = choice.field if choice.field.endswith("]") else f"{choice.field}[0:{max(lowest, 1)}]"
        return f"{why}; `field: {fixed}` takes those that every message has" if lowest else f"{why}, at least one"
    if values.nan_columns and not _num_before_nan(values):
        if len(values.nan_columns) == values.usual_width:
            return "nan in every message: not measured"
        places = ", ".join(map(str, values.nan_columns[:6]))
        return f"numbers {places} of it are nan in every message; take the others by their places: `{choice.field}[0]`"
    if choice.rule == "slerp" and values.zero_share == 1:
        return "every quaternion is zero: the sensor measures no orientation"
    return None


def _is_inexact(choice: FieldChoice, values: FieldValues) -> bool:
    """Counters of nanoseconds and the like: signals refuse what they would round."""
    is_refused = values.num_unreadable > 0 and "float64" in (values.problem or "")
    return is_refused or (values.is_beyond_float64 and (choice.type_name or "").startswith(_WIDE))


def _num_before_nan(values: FieldValues) -> int:
    """How many numbers stand before those that are nan in every message; 0 where others are nan, too, now and then."""
    num_nan = len(values.nan_columns)
    num_measured = values.usual_width - num_nan
    is_tail = values.nan_columns == tuple(range(num_measured, values.usual_width))
    return num_measured if num_nan and is_tail and not values.has_other_nan else 0


def _rule(choice: FieldChoice, values: FieldValues, notes: list[str]) -> str:
    is_turn = values.highest <= 2 * np.pi + 0.1 and values.lowest >= -2 * np.pi - 0.1
    if values.has_seam_in_degrees and choice.rule in ("angle", "linear"):
        notes.append("an angle in degrees, which leaps at its seam: `nearest`, for `angle` takes radians")
        return "nearest"
    if choice.rule == "angle" and not is_turn:
        return "linear"
    if choice.rule == "linear" and values.has_seam:
        notes.append("an angle: it leaps at the end of a turn")
        return "angle"
    is_one_of_few = (
        not is_measured(choice.field)
        and values.is_whole
        and 2 <= values.num_distinct <= _FEW
        and values.num_looked_at >= _ENOUGH
    )
    if choice.rule == "linear" and choice.num_values == 1 and is_one_of_few:
        notes.append(f"only {values.num_distinct} different whole numbers: a state, not a measurement")
        return "latest"
    return choice.rule


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.01 else "less than 1 %"
