"""Which episodes are for training, which for validation, which for the test: by a hash, so that it never changes.

Every episode's name is hashed to a number from 0 to 1, and every split has a part of that range. An episode that is added
changes nothing about the others, and the same name is in the same split in every dataset and on every machine. Splitting by
another column (the robot, the task, the recording's day) puts all episodes that share its value into the same split.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Iterable, Mapping
from itertools import accumulate
from typing import Final

from bagmill.errors import QueryError

_NAME: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,99}")
_RANGE: Final = 1 << 64
_SLACK: Final = 1e-6
"""How far fractions may be from 1 together: tenths have no exact form."""


def assign_splits(keys: Iterable[str | int], fractions: Mapping[str, float], *, salt: str = "") -> list[str]:
    """The split of each key.

    Args:
        keys: What decides: episodes' names, or what they are grouped by.
        fractions: Of each split, 1 together; their order matters: where the first one's fraction grows, it takes from
            the second.
        salt: Another one gives another division, as independent of the first as two throws of dice.

    Returns:
        Names of splits, in the order of the keys. The numbers are only near the fractions, the nearer the more keys there are.

    Raises:
        QueryError: The fractions are not 1 together, or something cannot be a split's name.
    """
    ends = _ends(fractions)
    found: dict[str | int, str] = {}
    splits = []
    for key in keys:
        if key not in found:
            place = _place(key, salt)
            found[key] = next(name for name, end in ends.items() if place < end)
        splits.append(found[key])
    return splits


def check_fractions(fractions: Mapping[str, float]) -> None:
    """Refuse fractions that do not divide anything.

    Raises:
        QueryError: As `assign_splits`.
    """
    _ends(fractions)


def _place(key: str | int, salt: str) -> int:
    # The length first, so that no salt can run into a key.
    text = f"{len(salt)}:{salt}{key}".encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


def _ends(fractions: Mapping[str, float]) -> dict[str, int]:
    """Where each split's part of the range ends; the last one's where the range does."""
    for name, fraction in fractions.items():
        if not _NAME.fullmatch(name):
            raise QueryError(
                f"{name!r} is no name for a split", remedy="Use letters, digits, `.`, `_` and `-`, 100 at most"
            )
        if not 0 <= fraction <= 1:
            raise QueryError(f"the split {name} has the fraction {fraction}", remedy="Give fractions from 0 to 1")
    if not math.isclose(sum(fractions.values()), 1, abs_tol=_SLACK):
        raise QueryError(
            f"the fractions of {', '.join(fractions) or 'no split'} are {sum(fractions.values()):g} together",
            remedy="Give fractions that are 1 together, as train 0.8, val 0.1, test 0.1",
        )
    ends = {name: round(end * _RANGE) for name, end in zip(fractions, accumulate(fractions.values()), strict=True)}
    # What was lost to rounding goes to the last that has anything.
    last = [name for name, fraction in fractions.items() if fraction > 0][-1]
    return ends | dict.fromkeys(list(ends)[list(ends).index(last) :], _RANGE)
