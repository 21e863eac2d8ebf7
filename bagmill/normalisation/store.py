"""Where a snapshot's statistics are kept: one JSON file beside its table."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from bagmill.dataset import LATEST, Dataset, resolve_id, write_whole
from bagmill.dataset.json_records import from_json, to_json
from bagmill.dataset.whole_file import read_whole
from bagmill.errors import StorageError
from bagmill.normalisation.statistics import Normalisation

_SCHEMA: Final = "bagmill-normalisation-2"
_BY_PLACE: Final = b'{"schema": "bagmill-normalisation-1"'
"""Begins a file from before columns were matched by name: where episodes differ in their order, its numbers are mixed."""
_REMEDY: Final = "Measure it with `bagmill stats`"


def save_normalisation(dataset: Dataset, normalisation: Normalisation) -> Path:
    """Keep a snapshot's statistics; those that are there are replaced.

    Raises:
        StorageError: The disk does not take it.
    """
    path = dataset.normalisation_path(normalisation.snapshot_id, split=normalisation.split)
    write_whole(path, to_json(normalisation, schema=_SCHEMA))
    return path


def load_normalisation(dataset: Dataset, snapshot: str = LATEST, *, split: str | None = None) -> Normalisation:
    """A snapshot's statistics.

    Args:
        dataset: Whose snapshot.
        snapshot: Its name or id.
        split: Over whose episodes; None: over all.

    Raises:
        StorageError: There is no such snapshot, it was not measured, or the file is damaged.
    """
    snapshot_id = resolve_id(dataset, snapshot)
    path = dataset.normalisation_path(snapshot_id, split=split)
    data = read_whole(path, remedy=_REMEDY)
    try:
        found = from_json(data, Normalisation, schema=_SCHEMA)
    except ValueError as err:
        raise StorageError(f"is no normalisation: {err}", path=path, remedy=_REMEDY) from err
    if (found.snapshot_id, found.split) != (snapshot_id, split):
        raise StorageError(f"is that of snapshot {found.snapshot_id}, split {found.split}", path=path, remedy=_REMEDY)
    return found


def find_normalisation(
    dataset: Dataset, snapshot: str = LATEST, *, split: str | None = None, num_frames: int, seed: int
) -> Normalisation | None:
    """What was measured before in the same way; None where nothing was, or in another way. Errors as of `load_normalisation`."""
    path = dataset.normalisation_path(resolve_id(dataset, snapshot), split=split)
    if not path.exists() or read_whole(path, remedy=_REMEDY).startswith(_BY_PLACE):
        return None
    found = load_normalisation(dataset, snapshot, split=split)
    return found if (found.num_frames, found.seed) == (num_frames, seed) else None
