"""Joints of one part: those that are measured, and those that turn without an end."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby

from bagmill.drafts.part import PartDraft
from bagmill.drafts.robot_description import continuous_joints
from bagmill.drafts.values import FieldValues

_NOW_AND_THEN = 0.01
"""Share of messages that hold a nan, where it is only known that some do."""
_ONE_TURN = 2 * math.pi + 0.1


def measured_joints(joints: tuple[str, ...], seen: FieldValues | None) -> tuple[tuple[str, ...], FieldValues | None]:
    """The joints that are not nan in every message, and the values of these; all of them where none is measured."""
    if seen is None or not seen.nan_columns or not len(seen.nan_columns) < seen.usual_width == len(joints):
        return joints, seen
    measured = [place for place in range(len(joints)) if place not in seen.nan_columns]
    return tuple(joints[place] for place in measured), replace(
        seen,
        usual_width=len(measured),
        nan_columns=(),
        nan_share=_NOW_AND_THEN if seen.has_other_nan else 0.0,
        column_bounds=tuple(seen.column_bounds[place] for place in measured),
    )


def with_turning_joints(part: PartDraft, seen: FieldValues | None, *, descriptions: Iterable[str]) -> list[PartDraft]:
    """A part for every run of joints that are laid on the timeline by one rule: `angle` for those that turn without an end.

    One that counts its turns never leaps at a seam, and is linear: its numbers go beyond one turn.

    Args:
        part: Positions of joints, or anything else, which is given back as it is.
        seen: Its values; None where nobody looked.
        descriptions: The robot's, as URDF.
    """
    names = part.settings.get("names")
    if part.suffix != "position" or part.rule != "linear" or not isinstance(names, list):
        return [part]
    turning = frozenset().union(*(continuous_joints(text) for text in descriptions))
    bounds = seen.column_bounds if seen is not None and len(seen.column_bounds) == len(names) else ()
    is_angle = [
        name in turning and (not bounds or max(map(abs, bounds[place])) <= _ONE_TURN)
        for place, name in enumerate(names)
    ]
    runs = [(rule, list(run)) for rule, run in groupby(zip(is_angle, names, strict=True), key=lambda pair: pair[0])]
    return [
        replace(
            part,
            rule="angle" if angle else "linear",
            num_values=len(run),
            settings={**part.settings, "names": [name for _, name in run]},
        )
        for angle, run in runs
    ]
