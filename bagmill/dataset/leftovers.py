"""What dead writers have left in a dataset: files half written, folders half filled, locks.

Every run over an episode sweeps that episode's places, which costs a few looks into small folders; a prune sweeps all.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from bagmill.dataset.folder import Dataset
from bagmill.disk.partial import dead_partials, sweep_one, sweep_partial, sweep_partials
from bagmill.episodes.staging import abandoned_staging, sweep_staging


def sweep_episode(dataset: Dataset, episode: str) -> None:
    """Remove what dead writers left of an episode, wherever it lies; nothing is raised for what cannot be removed."""
    arrays = dataset.episode_path(episode, "any").parent
    sweep_staging(arrays)
    for folder in (dataset.report_path(episode, "any").parent, dataset.preview_path(episode, "any").parent):
        sweep_partials(folder)
    # In folders with a file for every episode, by name.
    for path in (dataset.scan_path(episode), dataset.fingerprint_path(episode), dataset.quarantine_path(episode)):
        sweep_partial(path)


def sweep_tables(dataset: Dataset) -> None:
    """Remove what dead writers left among the snapshots and the nights; raises as little as `sweep_episode`."""
    for folder in (dataset.snapshots_dir, dataset.nights_dir):
        sweep_partials(folder)


def find_leftovers(dataset: Dataset) -> list[Path]:
    """All that dead writers have left, sorted; looks through every folder once."""
    found: list[Path] = []
    for folder in _folders_of_files(dataset):
        found += dead_partials(folder)
    for folder in _folders_in(dataset.episodes_dir):
        found += abandoned_staging(folder)
    return sorted(found)


def remove_leftover(path: Path) -> bool:
    """Remove something that `find_leftovers` found, unless it has a living writer by now; whether it went."""
    if path.name.endswith((".partial", ".tmp")):
        return sweep_one(path)
    return sweep_staging(path.parent) > 0 or not os.path.lexists(path)


def _folders_of_files(dataset: Dataset) -> Iterator[Path]:
    yield from (dataset.snapshots_dir, dataset.nights_dir, dataset.quarantine_dir, dataset.recordings_dir)
    yield dataset.scans_dir
    for parent in (dataset.reports_dir, dataset.previews_dir):
        yield from _folders_in(parent)


def _folders_in(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as entries:
            return [folder / each.name for each in entries if each.is_dir(follow_symlinks=False)]
    except OSError:
        return []
