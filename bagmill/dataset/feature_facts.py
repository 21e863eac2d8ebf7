"""What a snapshot's table says of a feature, and where an older one does not, what the episode's own attributes say.

As plain JSON values: `kind`, `shape`, `dtype`. Of signals: `names` (one a column), `is_named` (whether all of them are the
columns' own, as those of joints, or some number places), `named` (the same by column, where not all are alike) and `units` (a
text, None, or a list with one a column where they differ). Of depth: `scale_m`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bagmill.episodes.metadata import read_root_metadata
from bagmill.errors import StorageError

Facts = dict[str, Any]


def is_described(said: Mapping[str, Any]) -> bool:
    """Whether names, units and scale are known of a feature, as far as one of its kind has any."""
    if said["kind"] == "signal":
        return bool(said.get("names"))
    return said["kind"] != "depth" or said.get("scale_m") is not None


def with_stored_facts(features: Mapping[str, Facts], episode: Path) -> dict[str, Facts]:
    """Complete what is said of an episode's features by its own attributes, as far as they say anything.

    Args:
        features: Feature → what is known of it.
        episode: The episode's folder.
    """
    try:
        attributes, arrays = read_root_metadata(episode)
    except StorageError:
        # It is gone or damaged, which whoever reads its values is told.
        return dict(features)
    of_features = _mapping(attributes.get("features"))
    return {
        name: said
        if is_described(said) or name not in arrays
        else said | _facts_of(said, _mapping(arrays[name].get("attributes")), _mapping(of_features.get(name)))
        for name, said in features.items()
    }


def units_of(units: object, num_columns: int) -> tuple[str | None, ...]:
    """One unit a column, from what is stored: a text or None for all of them, or a list."""
    if isinstance(units, Sequence) and not isinstance(units, str):
        return tuple(None if unit is None else str(unit) for unit in units)
    return (None if units is None else str(units),) * num_columns


def plain_units(units: Sequence[str | None]) -> str | list[str | None] | None:
    """The same as it is stored: one for all columns that share it, else a list."""
    return next(iter(units), None) if len({*units}) <= 1 else list(units)


def named_of(said: Mapping[str, Any], num_columns: int) -> tuple[bool, ...]:
    """Whether each column's name is its own."""
    named = said.get("named")
    if isinstance(named, Sequence) and len(named) == num_columns:
        return tuple(map(bool, named))
    return (bool(said.get("is_named")),) * num_columns


def plain_named(named: Sequence[bool]) -> Facts:
    """The same as it is stored."""
    said: Facts = {"is_named": all(named)}
    return said if len({*named}) <= 1 else said | {"named": list(named)}


def numbered_names(field: str, num_columns: int) -> list[str]:
    """What columns are called whose messages name none."""
    return [field] if num_columns == 1 else [f"{field}[{place}]" for place in range(num_columns)]


def _facts_of(said: Mapping[str, Any], stored: Mapping[str, Any], of_feature: Mapping[str, Any]) -> Facts:
    if said["kind"] == "depth":
        scale_m = stored.get("scale_m", of_feature.get("scale_m"))
        return {"scale_m": float(scale_m)} if isinstance(scale_m, int | float) else {}
    (num_columns,) = said["shape"]
    names = [str(name) for name in stored.get("names") or of_feature.get("names") or ()]
    if not names or len(names) != num_columns:
        return {}
    if isinstance(stored.get("is_named"), bool):
        named = named_of(stored, num_columns)
    else:
        named = (not _are_numbered(names, of_feature.get("field")),) * num_columns
    units = units_of(stored.get("units", of_feature.get("units")), num_columns)
    return {
        "names": names,
        **plain_named(named),
        "units": plain_units(units if len(units) == num_columns else (None,) * num_columns),
    }


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _are_numbered(names: list[str], field: object) -> bool:
    """Of an episode that does not say whether its names are the signals' own."""
    base = field if isinstance(field, str) else names[0].removesuffix("[0]")
    return names == numbered_names(base, len(names)) and (isinstance(field, str) or len(names) > 1)
