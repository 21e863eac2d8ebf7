"""A feature of several holders (episodes, sources of a mixture) as one: columns in one order, units and scale the same.

Columns that have names are matched by them. Columns that have none, only places, are matched by place; all that can be compared
of those is their number, and a note says so. What does not agree is refused, with what each side has: nothing is converted.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from bagmill.dataset.column_keys import Key, column_keys, is_by_order, named_of_keys, names_of_keys
from bagmill.dataset.held_features import HeldFeature
from bagmill.errors import ColumnsError, FeatureError

Places = NDArray[np.intp]
Holders = Mapping[HeldFeature, str]
"""How a feature is held → who holds it so, as an error names it."""
Choose = Callable[[HeldFeature, HeldFeature], str]
"""Of two sides that do not agree, how to have only one of them: the part of a remedy that follows `or`."""

_MOST_COLUMNS_TOLD: Final = 8
_SCALE_TOLERANCE: Final = 1e-6
"""Relative. Drivers tell scales as float32; over all 65,536 counts less than a tenth of one lies within it."""


@dataclass(frozen=True, slots=True)
class JoinedFeature:
    """What holders have in common, and where the columns of each of them go."""

    held: HeldFeature
    """The feature as it is once all are joined."""
    places: Mapping[HeldFeature, Places]
    """How a holder has it → (d,) the joined feature's column that each of its own is. Signals only."""
    note: str | None = None
    """What could not be compared, as a clause."""

    def is_in_place(self, held: HeldFeature) -> bool:
        """Whether a holder's columns are the joined feature's first ones, in their order."""
        places = self.places.get(held)
        return places is None or bool(np.array_equal(places, np.arange(len(places))))

    def arranged(self, values: NDArray[Any], held: HeldFeature) -> NDArray[Any]:
        """Values as a holder has them → with the joined feature's columns.

        Args:
            values: (…, d)
            held: How the holder has them.

        Returns:
            (…, D) of the same dtype, zero where the holder has no such column; `values` itself where nothing moves.
        """
        width = self.held.shape[0]
        if values.shape[-1] == width and self.is_in_place(held):
            return values
        arranged = np.zeros((*values.shape[:-1], width), values.dtype)
        arranged[..., self.places[held]] = values
        return arranged


def join_feature(
    holders: Holders, *, choose: Choose, orders: Iterable[tuple[str, ...]] = (), is_union: bool = False
) -> JoinedFeature:
    """Agree on what several holders of a feature have.

    Sizes of pictures are not compared: they may be fitted to each other.

    Args:
        holders: All forms of the feature; the first decides what is left open.
        choose: For the remedies.
        orders: Orders of names that go before the first holder's, where they are of the same names.
        is_union: Join named columns that only some holders have as well, and places beyond the fewest; else refuse them.

    Raises:
        FeatureError: They do not agree; tells what two of them have.
    """
    return _Joining(holders, choose=choose, is_union=is_union).join(orders)


class _Joining:
    """One feature while it is joined; arguments as of `join_feature`."""

    def __init__(self, holders: Holders, *, choose: Choose, is_union: bool) -> None:
        self._holders, self._choose, self._is_union = holders, choose, is_union
        self._first = next(iter(holders))

    def join(self, orders: Iterable[tuple[str, ...]]) -> JoinedFeature:
        first = self._first
        if first.kind == "depth":
            self._check_scales()
        if first.kind != "signal":
            return JoinedFeature(first, {})
        self._check_named()
        keys = column_keys(self._holders)
        self._check_keys(keys)
        joined = _in_order(keys, orders)
        place_of = {key: place for place, key in enumerate(joined)}
        places = {held: np.array([place_of[key] for key in own], np.intp) for held, own in keys.items()}
        names = names_of_keys(keys, joined)
        held = replace(
            first,
            shape=(len(joined),),
            dtype=np.result_type(*(each.dtype for each in self._holders)),
            names=names,
            named=named_of_keys(keys, joined),
            units=self._units(places, names, width=len(joined)),
        )
        note = None
        unnamed = [name for name, is_named in zip(names, held.named, strict=True) if not is_named]
        if unnamed or not names:
            note = f"{first.name}: columns without names ({_listed(unnamed, len(joined))}) are put together by place"
        return JoinedFeature(held, places, note)

    def _check_named(self) -> None:
        named = next((held for held in self._holders if any(held.named)), None)
        unnamed = next((held for held in self._holders if held.shape[0] and not any(held.named)), None)
        if named is not None and unnamed is not None:
            only = f"only places ({_columns(unnamed)})" if unnamed.names else "columns whose names are not known"
            remedy = "Ingest them by profiles that name the columns in all of them"
            raise self._error(named, unnamed, f"columns {_columns(named)}", only, remedy)

    def _check_keys(self, keys: Mapping[HeldFeature, Sequence[Key]]) -> None:
        """Every holder has the same columns, unless they are united."""
        first = self._first
        for held, own in keys.items():
            if {*own} == {*keys[first]} or (self._is_union and not is_by_order(own)):
                continue
            if any(held.named):
                shared = ", ".join(name for name in first.names if name in held.names)
                remedy = (
                    f"Take the same ones everywhere with `names: [{shared or '…'}]` in the profiles and ingest again"
                )
                has, but_has = f"columns {_columns(first)}", f"columns {_columns(held)}"
                raise self._error(first, held, has, but_has, remedy, kind=ColumnsError)
            raise ColumnsError(
                f"{first.name} has {first.shape[0]} and {held.shape[0]} numbers in different episodes, "
                f"{self._holders[first]} and {self._holders[held]}, and no names to match them by",
                remedy=f"Take the same ones everywhere and ingest again; or {self._choose(first, held)}",
            )

    def _units(
        self, places: Mapping[HeldFeature, Places], names: Sequence[str], *, width: int
    ) -> tuple[str | None, ...]:
        """One a joined column; empty where nobody says any."""
        known: dict[int, tuple[str | None, HeldFeature]] = {}
        for held in self._holders:
            for place, unit in zip(places[held].tolist(), held.units or (None,) * held.shape[0], strict=True):
                told, before = known.setdefault(place, (unit, held))
                if told != unit:
                    column = names[place] if names else f"column {place}"
                    remedy = f"Say the true unit with `units: {told or unit}` in the profile and ingest again"
                    raise self._error(before, held, f"{column} {_in_unit(told)}", f"{column} {_in_unit(unit)}", remedy)
        return tuple(known[place][0] for place in range(width)) if any(held.units for held in self._holders) else ()

    def _check_scales(self) -> None:
        for held in self._holders:
            if not _is_same_scale(self._first.scale_m, held.scale_m):
                has, but_has = _scale_text(self._first.scale_m), _scale_text(held.scale_m)
                remedy = "Say the true scale with `scale_m: …` in the profile and ingest again"
                raise self._error(self._first, held, has, but_has, remedy)

    def _error(
        self,
        one: HeldFeature,
        other: HeldFeature,
        has: str,
        but_has: str,
        remedy: str,
        *,
        kind: type[FeatureError] = FeatureError,
    ) -> FeatureError:
        return kind(
            f"{one.name} has {has} in {self._holders[one]} and {but_has} in {self._holders[other]}",
            remedy=f"{remedy}; or {self._choose(one, other)}",
        )


def _is_same_scale(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_SCALE_TOLERANCE)


def _scale_text(scale_m: float | None) -> str:
    return "a scale that is not known" if scale_m is None else f"{scale_m:g} m a count"


def _in_unit(unit: str | None) -> str:
    return "without a unit" if unit is None else f"in {unit}"


def _columns(held: HeldFeature) -> str:
    return _listed(held.names, held.shape[0])


def _listed(names: Sequence[str], num_columns: int) -> str:
    """Names of columns; of many, the first."""
    names = names or [f"[{place}]" for place in range(num_columns)]
    more = f", … {len(names)} in all" if len(names) > _MOST_COLUMNS_TOLD else ""
    return f"{', '.join(names[:_MOST_COLUMNS_TOLD])}{more}"


def _in_order(keys: Mapping[HeldFeature, Sequence[Key]], orders: Iterable[tuple[str, ...]]) -> Sequence[Key]:
    """The joined columns: those of the first holder, then what others have besides."""
    joined = tuple(dict.fromkeys(key for own in keys.values() for key in own))
    return next((order for order in orders if len(order) == len(joined) and {*order} == {*joined}), joined)
