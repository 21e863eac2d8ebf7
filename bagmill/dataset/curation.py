"""How a curated snapshot came about: everything that is needed to choose the same episodes again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from bagmill.dataset.json_records import from_json, to_json

BY_EPISODE: Final = "episode"
_SCHEMA: Final = "bagmill-curation-1"


@dataclass(frozen=True, slots=True)
class CurationStep:
    """One choice among the rows of a snapshot."""

    base_id: str
    """Of the snapshot whose rows were chosen from."""
    where: str | None = None
    """The condition; None: all rows, or where episodes are included by name, none but those."""
    include: tuple[str, ...] = ()
    """Episodes taken whatever the condition says, sorted."""
    exclude: tuple[str, ...] = ()
    """Episodes left out whatever else is said, sorted."""
    splits: Mapping[str, float] = field(default_factory=dict)
    """Fraction of each split, in the order that matters; none: what the base has stays."""
    by: str = BY_EPISODE
    """Column whose value decides on the split."""
    salt: str = ""
    """Of the splits."""


@dataclass(frozen=True, slots=True)
class Curation:
    """The choices that led to a curated snapshot, the first one made among all episodes of a dataset."""

    steps: tuple[CurationStep, ...]


def write_curation(curation: Curation) -> bytes:
    """A curation as JSON; the same one, the same bytes."""
    return to_json(curation, schema=_SCHEMA, is_sealed=False)  # an id is taken over it


def read_curation(data: bytes) -> Curation:
    """A curation from JSON.

    Raises:
        ValueError: It is none; says where.
    """
    return from_json(data, Curation, schema=_SCHEMA)
