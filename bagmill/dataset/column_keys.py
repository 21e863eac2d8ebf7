"""What a signal's columns are matched by where several holders of it meet."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence

from bagmill.dataset.held_features import HeldFeature

Key = str | int | tuple[int, str]
"""A name; of a column without one, how many such columns stand before it; where names stand twice, place and name together."""


def column_keys(holders: Iterable[HeldFeature]) -> dict[HeldFeature, Sequence[Key]]:
    """Keys of every holder's columns: columns of one key are the same column.

    Those that have names go by them, the others by their order among themselves. Places that all holders call alike
    (`linear[0]`, `angular[0]`) go by that, so that parts in another order are found again.
    """
    holders = list(holders)
    if any(len({*held.names}) < len(held.names) for held in holders):
        # Columns of one name cannot be told apart, so only their very order is as good as a name.
        return {held: list(enumerate(_names(held))) for held in holders}
    unnamed = [sorted(name for name, is_named in _columns(held) if not is_named) for held in holders]
    are_alike = all(held.names for held in holders) and all(each == unnamed[0] for each in unnamed)
    return {held: held.names if are_alike else _by_order(held) for held in holders}


def is_by_order(keys: Iterable[Key]) -> bool:
    """Whether names stand twice, so that columns have to stand alike everywhere."""
    return any(isinstance(key, tuple) for key in keys)


def names_of_keys(keys: Mapping[HeldFeature, Sequence[Key]], joined: Sequence[Key]) -> tuple[str, ...]:
    """What joined columns are called; one that holders call differently is `[2]`, by its place. Empty where nobody says."""
    if not any(held.names for held in keys):
        return ()
    called: dict[Key, set[str]] = {}
    for held, own in keys.items():
        for key, name in zip(own, _names(held), strict=True):
            called.setdefault(key, set()).add(name)
    return tuple(next(iter(called[key])) if len(called[key]) == 1 else f"[{place}]" for place, key in enumerate(joined))


def named_of_keys(keys: Mapping[HeldFeature, Sequence[Key]], joined: Sequence[Key]) -> tuple[bool, ...]:
    """Whether the names of joined columns are their own, as of `HeldFeature.named`."""
    if not any(held.names for held in keys):
        return ()
    named = {
        key for held, own in keys.items() for key, (_, is_named) in zip(own, _columns(held), strict=True) if is_named
    }
    return tuple(key in named for key in joined)


def _by_order(held: HeldFeature) -> list[Key]:
    order = itertools.count()
    return [name if is_named else next(order) for name, is_named in _columns(held)]


def _columns(held: HeldFeature) -> Iterable[tuple[str, bool]]:
    return zip(_names(held), held.named or (False,) * held.shape[0], strict=True)


def _names(held: HeldFeature) -> Sequence[str]:
    return held.names or ("",) * held.shape[0]
