"""Features of a snapshot's episodes as one each."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from bagmill.dataset.feature_facts import plain_units
from bagmill.dataset.held_features import Fetch, HeldFeature, held_features
from bagmill.dataset.joined_feature import Holders, JoinedFeature, join_feature

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

_TELLING: Final = ("profile", "robot", "task", "split")
"""Columns by which a person tells episodes of one kind from others, the most telling first."""

_MOST_NAMED: Final = 4
"""Episodes that a remedy names."""


@dataclass(frozen=True, slots=True)
class EpisodeFeatures:
    """What the rows of a snapshot's table hold."""

    table: pd.DataFrame
    per_episode: Sequence[Mapping[str, HeldFeature]]
    """By row; the same mapping for episodes that are alike."""
    orders: Mapping[str, Sequence[tuple[str, ...]]]
    """Signal → the orders of its names in the whole snapshot, the first episode's first: whatever rows are chosen of a
    snapshot, training and test have the same order."""

    def join(self, name: str, *, is_union: bool = False) -> JoinedFeature:
        """A feature of all rows that have it.

        Args:
            name: Of the feature; at least one row has it.
            is_union: As of `join_feature`.

        Raises:
            FeatureError: The episodes do not agree.
        """
        rows_by_kind: dict[int, list[int]] = {}
        for row, held in enumerate(self.per_episode):
            rows_by_kind.setdefault(id(held), []).append(row)
        holders: dict[HeldFeature, str] = {}
        num_holders = 0
        for rows in rows_by_kind.values():
            if name in (held := self.per_episode[rows[0]]):
                holders.setdefault(held[name], str(self.table["episode"].iloc[rows[0]]))
                num_holders += len(rows)
        joined = join_feature(
            holders, choose=self._choose(holders), orders=self.orders.get(name, ()), is_union=is_union
        )
        # Of one episode there is nothing to compare.
        return joined if num_holders > 1 else JoinedFeature(joined.held, joined.places)

    def _choose(self, holders: Holders) -> Callable[[HeldFeature, HeldFeature], str]:
        def choose(one: HeldFeature, other: HeldFeature) -> str:
            sides = [
                self.table.iloc[[row for row, held in enumerate(self.per_episode) if held.get(one.name) == side]]
                for side in (one, other)
            ]
            for column in _TELLING:
                if column not in self.table:
                    continue
                first, second = ({*side[column]} for side in sides)
                if len(first) == 1 and not first & second:
                    return f"choose episodes of one kind by `where`, as `{column} == {str(*first)!r}`"
            shorter = min(sides, key=len)
            if len(shorter) <= _MOST_NAMED:
                has = "not in" if shorter is sides[1] else "in"
                return f"choose episodes of one kind by `where`, as `episode {has} {shorter['episode'].tolist()}`"
            text = _text_of_one(one, *({*side["features"]} for side in sides))
            if text is not None:
                return f"choose episodes of one kind by `where`, as `features.str.contains({text!r}, regex=False)`"
            return f"choose episodes of one kind by `where`, those like {holders[one]} or those like {holders[other]}"

        return choose


def _text_of_one(held: HeldFeature, texts: Collection[str], others: Collection[str]) -> str | None:
    """A part of column `features` that stands in the texts of one side alone."""
    facts = {"scale_m": held.scale_m, "units": plain_units(held.units), "names": list(held.names)}
    parts = [json.dumps({key: fact})[1:-1] for key, fact in facts.items()]
    return next(
        (part for part in parts if all(part in text for text in texts) and not any(part in text for text in others)),
        None,
    )


def episode_features(
    rows: pd.DataFrame, *, of: pd.DataFrame, folder: Path, fetch: Fetch | None = None
) -> EpisodeFeatures:
    """Look up what episodes hold.

    Args:
        rows: Of the snapshot, those that are meant.
        of: All rows of the snapshot.
        folder: The dataset's.
        fetch: As of `held_features`.
    """
    orders: dict[str, dict[tuple[str, ...], None]] = {}
    # One episode of each kind: what it says stands for those that say the same.
    kinds = of.drop_duplicates("features").reset_index(drop=True)
    for held in held_features(kinds, folder, fetch=fetch):
        for name, each in held.items():
            if each.is_named:
                orders.setdefault(name, {})[each.names] = None
    return EpisodeFeatures(
        rows, held_features(rows, folder, fetch=fetch), {name: tuple(each) for name, each in orders.items()}
    )
