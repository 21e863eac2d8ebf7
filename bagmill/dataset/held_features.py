"""What each episode of a snapshot holds, from the column that says it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from bagmill.dataset.confined import EpisodeFolders
from bagmill.dataset.feature_facts import is_described, named_of, units_of, with_stored_facts
from bagmill.episodes import Episode, layout
from bagmill.errors import StorageError
from bagmill.profile import FeatureKind

if TYPE_CHECKING:
    import pandas as pd  # see `dataset.snapshot`

Fetch = Callable[[Sequence[Path]], object]
"""Brings files of a dataset that is kept elsewhere to where they are read."""


@dataclass(frozen=True, slots=True)
class HeldFeature:
    """A feature as an episode holds it, or several that hold it alike."""

    name: str
    kind: FeatureKind
    shape: tuple[int, ...]
    """Of one tick's value."""
    dtype: np.dtype[Any]
    names: tuple[str, ...] = ()
    """Signals: what every column is called, (D,); empty where that is not known."""
    named: tuple[bool, ...] = ()
    """Signals: whether a column's name is its own, as that of a joint, (D,); else it numbers a place: `position[0]`."""
    units: tuple[str | None, ...] = ()
    """Signals: of every column, (D,), None where the profile says none; empty where that is not known."""
    scale_m: float | None = None
    """Depth: metres that a count is; None where that is not known."""

    @property
    def is_named(self) -> bool:
        """Whether all columns have names of their own."""
        return bool(self.named) and all(self.named)


def held_features(table: pd.DataFrame, folder: Path, *, fetch: Fetch | None = None) -> list[Mapping[str, HeldFeature]]:
    """What every row of a snapshot's table holds.

    Snapshots that were made before their tables knew names, units and scales are completed from the episodes' own
    attributes; of an episode that cannot be read they stay unknown.

    Args:
        table: As `load_snapshot` gives it, or rows of that.
        folder: The dataset's.
        fetch: Called with the metadata files that will be read, before they are; None: they are there.

    Raises:
        StorageError: A feature is called what none can be.

    Returns:
        By row: feature → how the episode holds it; the same mapping for episodes that are alike.
    """
    texts = table["features"].tolist()
    # Parsed once for thousands of episodes that are alike.
    parsed = {text: _parsed(text) for text in dict.fromkeys(texts)}
    is_whole = {text: all(map(is_described, said.values())) for text, said in parsed.items()}
    if all(is_whole.values()):
        held = {text: _held_of(said) for text, said in parsed.items()}
        return [held[text] for text in texts]
    paths: list[str] = table["path"].tolist()
    folders = EpisodeFolders(folder, paths)
    if fetch is not None:
        rest = [path for path, text in zip(paths, texts, strict=True) if not is_whole[text]]
        fetch([folder / path / layout.METADATA_FILE for path in rest])
    known: dict[str, Mapping[str, HeldFeature]] = {}
    found = []
    for row, text in enumerate(texts):
        said = parsed[text] if is_whole[text] else with_stored_facts(parsed[text], Path(folders[row]))
        found.append(known.setdefault(json.dumps(said), _held_of(said)))
    return found


def _parsed(text: str) -> dict[str, dict[str, Any]]:
    """A row's features; their names become paths in an episode, and keys in a store."""
    try:
        features: dict[str, dict[str, Any]] = json.loads(text)
        _held_of(features)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as err:
        raise StorageError(
            f"a snapshot's column features cannot be read ({type(err).__name__}: {str(err)[:200]})",
            remedy="Make the snapshot again",
        ) from err
    if wrong := [name for name in features if not layout.is_array_name(name)]:
        raise StorageError(
            f"a snapshot names a feature {wrong[0]!r}, which would lie outside of its episode",
            remedy="Take the snapshot from whoever made it once more, or make it again",
        )
    return features


def stored_features(episode: Episode) -> Mapping[str, HeldFeature]:
    """What an episode says of its own features."""
    features: dict[str, dict[str, Any]] = {
        name: {"kind": each.kind, "shape": list(each.shape), "dtype": str(each.dtype)}
        for name, each in episode.features.items()
    }
    return _held_of(with_stored_facts(features, episode.path))


def _held_of(features: Mapping[str, Mapping[str, Any]]) -> Mapping[str, HeldFeature]:
    return {name: _held(name, said) for name, said in features.items()}


def _held(name: str, said: Mapping[str, Any]) -> HeldFeature:
    shape = tuple(said["shape"])
    names = tuple(said.get("names") or ())
    return HeldFeature(
        name=name,
        kind=said["kind"],
        shape=shape,
        dtype=np.dtype(said["dtype"]),
        names=names,
        named=named_of(said, len(names)),
        units=units_of(said.get("units"), len(names)),
        scale_m=said.get("scale_m"),
    )
