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
        names, places = self._by_name(orders) if first.is_named else self._by_place()
        width = max(int(each.max(initial=-1)) for each in places.values()) + 1
        joined = replace(
            first,
            shape=(width,),
            dtype=np.result_type(*(held.dtype for held in self._holders)),
            names=names,
            units=self._units(places, names, width=width),
        )
        note = None
        if not first.is_named:
            note = f"{first.name}: its columns have no names ({_listed(joined)}) and are put together by place"
        return JoinedFeature(joined, places, note)

    def _check_named(self) -> None:
        named = next((held for held in self._holders if held.is_named), None)
        unnamed = next((held for held in self._holders if not held.is_named), None)
        if named is not None and unnamed is not None:
            only = f"only places ({_listed(unnamed)})" if unnamed.names else "columns whose names are not known"
            raise self._error(
                named,
                unnamed,
                f"columns {_listed(named)}",
                only,
                "Ingest them by profiles that name the columns in all of them",
            )

    def _by_name(self, orders: Iterable[tuple[str, ...]]) -> tuple[tuple[str, ...], dict[HeldFeature, Places]]:
        first = self._first
        # Columns of one name cannot be told apart, so only their very order is as good as a name.
        has_twins = any(len({*held.names}) < len(held.names) for held in self._holders)
        for held in self._holders:
            is_other = held.names != first.names if has_twins else {*held.names} != {*first.names}
            if is_other and (has_twins or not self._is_union):
                shared = ", ".join(name for name in dict.fromkeys(first.names) if name in held.names)
                raise self._error(
                    first,
                    held,
                    f"columns {_listed(first)}",
                    f"columns {_listed(held)}",
                    f"Take the same ones everywhere with `names: [{shared or '…'}]` in the profiles and ingest again",
                    kind=ColumnsError,
                )
        if has_twins:
            return first.names, {held: np.arange(len(first.names)) for held in self._holders}
        names = tuple(dict.fromkeys(name for held in self._holders for name in held.names))
        names = next((order for order in orders if sorted(order) == sorted(names)), names)
        place_of = {name: place for place, name in enumerate(names)}
        return names, {held: np.array([place_of[name] for name in held.names], np.intp) for held in self._holders}

    def _by_place(self) -> tuple[tuple[str, ...], dict[HeldFeature, Places]]:
        first = self._first
        for held in self._holders:
            if held.shape != first.shape and not self._is_union:
                raise ColumnsError(
                    f"{first.name} has {first.shape[0]} and {held.shape[0]} numbers in different episodes, "
                    f"{self._holders[first]} and {self._holders[held]}, and no names to match them by",
                    remedy=f"Take the same ones everywhere and ingest again, or {self._choose(first, held)}",
                )
        widest = max(self._holders, key=lambda held: held.shape[0])
        is_same = all(held.names == widest.names[: held.shape[0]] for held in self._holders)
        return widest.names if is_same else (), {held: np.arange(held.shape[0]) for held in self._holders}

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
            remedy=f"{remedy}, or {self._choose(one, other)}",
        )


def _is_same_scale(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=_SCALE_TOLERANCE)


def _scale_text(scale_m: float | None) -> str:
    return "a scale that is not known" if scale_m is None else f"{scale_m:g} m a count"


def _in_unit(unit: str | None) -> str:
    return "without a unit" if unit is None else f"in {unit}"


def _listed(held: HeldFeature) -> str:
    """Names of columns; of many, the first."""
    names = held.names or tuple(map(str, range(held.shape[0])))
    more = f", … {len(names)} in all" if len(names) > _MOST_COLUMNS_TOLD else ""
    return f"{', '.join(names[:_MOST_COLUMNS_TOLD])}{more}"
