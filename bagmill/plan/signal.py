"""The plan of a signal: its parts, its columns, how it is stored."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from bagmill.alignment.rules import RULES
from bagmill.plan.naming import NumbersError
from bagmill.plan.numbers import Numbers, resolve_numbers
from bagmill.plan.plan import FeaturePlan, PartPlan
from bagmill.plan.stamps import stamp_of
from bagmill.plan.streams import clock_of, find_stream, problems_of_clock
from bagmill.profile import FeatureSpec, PartSpec, Profile
from bagmill.streams.index import RecordingIndex

_EXACT_IN_FLOAT32 = frozenset(("bool", "int8", "uint8", "int16", "uint16", "float32"))
_IN_DEGREES = re.compile(r"deg(ree)?s?|°", re.IGNORECASE)
_COUNTED = frozenset(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64)) | {"bool"}


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of the plan before it knows its columns."""

    plan: PartPlan
    numbers: Numbers
    names: tuple[str, ...]


def resolve_signal(name: str, spec: FeatureSpec, *, profile: Profile, index: RecordingIndex) -> FeaturePlan | list[str]:
    """The plan of a signal, or what speaks against it."""
    problems: list[str] = []
    pieces: list[_Piece] = []
    names: list[str] = []
    for position, part in enumerate(spec.sources):
        where = f"{part.name or f'parts[{position}]'}: " if spec.parts else ""
        found = _resolve_part(part, profile=profile, index=index)
        if isinstance(found, str):
            problems.append(f"{where}{found}")
        else:
            pieces += found
            names += _in_wanted_order(part, [column for piece in found for column in piece.names])
    if problems:
        return problems
    if twice := sorted({column for column in names if names.count(column) > 1}):
        return [f"two columns are called {', '.join(twice)}; give each part a `name` of its own"]
    if len(spec.limits) not in (0, 1, len(names)):
        return [f"expected 1 or {len(names)} pairs of limits, found {len(spec.limits)}"]
    units = {column: piece.plan.spec.units for piece in pieces for column in piece.names}
    types = frozenset(kind for piece in pieces for kind in piece.numbers.types)
    dtype = spec.dtype or ("float32" if types and types <= _EXACT_IN_FLOAT32 else "float64")
    return FeaturePlan(
        name=name,
        kind="signal",
        spec=spec,
        parts=tuple(_parts(pieces, names)),
        shape=(len(names),),
        dtype=np.dtype(dtype),
        names=tuple(names),
        units=tuple(units[column] for column in names),
    )


def _resolve_part(part: PartSpec, *, profile: Profile, index: RecordingIndex) -> list[_Piece] | str:
    stream = find_stream(part, index, wanted="signal")
    if isinstance(stream, str):
        return stream
    try:
        found = resolve_numbers(part, stream)
    except NumbersError as err:
        return str(err)
    pieces = []
    for numbers in found:
        rule = part.rule or _default_rule(numbers)
        problem = _problem_of_rule(rule, part, len(numbers.names))
        clock, stamp = clock_of(part, profile), stamp_of(part, profile, stream)
        rows = numbers.rows(stream)
        problems = problems_of_clock(part, clock, index.stamps_of(stream, clock, stamp)[rows])
        if problem is not None or problems:
            return problem or problems[0]
        plan = PartPlan(
            label="",
            spec=part,
            channel=stream.channel,
            clock=clock,
            stamp=stamp,
            rule=rule,
            tolerance_ns=round((part.tolerance_ms or 0) * 1e6),
            rows=rows,
            field=numbers.field,
            joints=numbers.joints,
            is_orientation=numbers.is_orientation or rule == "slerp",
        )
        is_called = bool(numbers.joints) or bool(part.names)
        names = tuple(f"{part.name}.{name}" for name in numbers.names) if part.name and is_called else numbers.names
        pieces.append(_Piece(plan, numbers, names))
    return pieces


def _default_rule(numbers: Numbers) -> str:
    if numbers.is_orientation:
        return "slerp"
    return "latest" if numbers.types and numbers.types <= _COUNTED else "linear"


def unknown_rule(rule: str | None) -> list[str]:
    """What to say of a rule that does not exist; nothing of one that does, or of none."""
    if rule is None or rule in RULES:
        return []
    return [f"no alignment rule is called `{rule}`; known: {', '.join(RULES)}"]


def _problem_of_rule(rule: str, part: PartSpec, num_values: int) -> str | None:
    if unknown := unknown_rule(rule):
        return unknown[0]
    if num_values % RULES[rule].group_size:
        return f"rule `{rule}` takes numbers by {RULES[rule].group_size}, found {num_values}"
    if rule == "angle" and part.units is not None and _IN_DEGREES.fullmatch(part.units.strip()):
        return f"rule `angle` takes radians, and the units are {part.units}: say `rule: nearest`, or `linear` if it never wraps"
    if part.infinity == "keep" and RULES[rule].is_interpolating:
        return (
            f"rule `{rule}` would spread infinite numbers; with `infinity: keep` say `rule: nearest` or `rule: latest`"
        )
    return None


def _in_wanted_order(part: PartSpec, names: list[str]) -> list[str]:
    """A part's columns as its `names` order them, where publishers hold some of them each."""
    wanted = [f"{part.name}.{name}" if part.name else name for name in part.names]
    return wanted if sorted(wanted) == sorted(names) else names


def _parts(pieces: Sequence[_Piece], names: Sequence[str]) -> list[PartPlan]:
    parts = []
    for position, piece in enumerate(pieces):
        name = piece.plan.spec.name
        is_shared = sum(other.plan.spec is piece.plan.spec for other in pieces) > 1
        label = "" if len(pieces) == 1 else str(position) if name is None or is_shared else name
        parts.append(replace(piece.plan, label=label, columns=tuple(names.index(column) for column in piece.names)))
    return parts
