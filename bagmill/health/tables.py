"""The files that speak for the whole dataset: snapshots, their names and statistics, nights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Final

from bagmill.dataset import Dataset, resolve_name
from bagmill.dataset.folder import names_ending
from bagmill.dataset.json_records import has_seal
from bagmill.dataset.nights import list_night_dates, load_night
from bagmill.dataset.sealed_parquet import has_checksum
from bagmill.dataset.snapshot import load_rows
from bagmill.dataset.snapshot_file import snapshot_paths
from bagmill.dataset.snapshot_names import LATEST, list_snapshot_names
from bagmill.dataset.whole_file import read_file
from bagmill.episodes.layout import is_episode
from bagmill.errors import StorageError
from bagmill.health.finding import Finding, Kind
from bagmill.normalisation import load_normalisation

Check = Callable[[], Iterator[Finding]]
"""Reads one thing and tells what is wrong with it."""
_STATISTICS: Final = ".normalisation.json"


def table_checks(dataset: Dataset) -> list[tuple[Kind, Path, Check]]:
    """A check for each of them."""
    folder = dataset.snapshots_dir
    names, nights = list_snapshot_names(dataset), list_night_dates(dataset)
    statistics = [folder / f"{each}{_STATISTICS}" for each in names_ending(folder, _STATISTICS)]
    return [
        *(("snapshot", path, partial(_check_snapshot, dataset, path)) for path in snapshot_paths(dataset)),
        *(("snapshot name", folder / f"{name}.json", partial(_check_name, dataset, name)) for name in names),
        *(("normalisation", path, partial(_check_normalisation, dataset, path)) for path in statistics),
        *(("night", dataset.nights_dir / f"{date}.json", partial(_check_night, dataset, date)) for date in nights),
    ]


def is_sealed(path: Path) -> bool:
    """Whether a file carries a checksum of its own."""
    try:
        data = read_file(path)
    except OSError:
        return False
    return has_checksum(data) if path.suffix == ".parquet" else has_seal(data)


def _check_snapshot(dataset: Dataset, path: Path) -> Iterator[Finding]:
    try:
        rows = load_rows(dataset, path.stem)
    except StorageError as err:
        remedy = "Repair makes the newest snapshot again where its episodes are as they were; others are lost with their rows"
        yield Finding("snapshot", path, err.problem, remedy)
        return
    missing = [
        (episode, version) for episode, version in rows if not is_episode(dataset.episode_path(episode, version))
    ]
    if missing:
        episode, version = missing[0]
        more = f", and {len(missing) - 1:,} more" if len(missing) > 1 else ""
        problem = f"it names {episode} {version}{more}, which is not there"
        yield Finding("snapshot", path, problem, "Ingest the episode again by the same profile, or make a new snapshot")


def _check_name(dataset: Dataset, name: str) -> Iterator[Finding]:
    path = dataset.snapshots_dir / f"{name}.json"
    remedy = (
        "Repair points it at the newest snapshot"
        if name == LATEST
        else "Delete it and name the snapshot again: which one it was stands nowhere else"
    )
    try:
        snapshot_id = resolve_name(dataset, name)
    except StorageError as err:
        yield Finding("snapshot name", path, err.problem, remedy)
        return
    if not (dataset.snapshots_dir / f"{snapshot_id}.parquet").exists():
        yield Finding("snapshot name", path, f"it names snapshot {snapshot_id}, which is not there", remedy)


def _check_normalisation(dataset: Dataset, path: Path) -> Iterator[Finding]:
    snapshot_id, _, split = path.name.removesuffix(".normalisation.json").partition(".")
    try:
        load_normalisation(dataset, snapshot_id, split=split or None)
    except StorageError as err:
        yield Finding("normalisation", path, err.problem, "Measure it again with `bagmill stats`; repair removes it")


def _check_night(dataset: Dataset, date: str) -> Iterator[Finding]:
    try:
        load_night(dataset, date)
    except StorageError as err:
        path = dataset.nights_dir / f"{date}.json"
        yield Finding("night", path, err.problem, "Repair removes it: trends go on without that night")
