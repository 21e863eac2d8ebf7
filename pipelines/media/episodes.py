"""What the pages tell of episodes, as their templates want it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bagmill.dataset import (
    Dataset,
    EpisodeReport,
    QuarantineEntry,
    ReportSummary,
    asking,
    load_report,
    load_summary,
    read_quarantine,
)
from bagmill.errors import StorageError
from pipelines.media.files import find_names, inside

PAGE_SIZE: Final = 50
_MOST_TYPED: Final = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One episode in the list."""

    episode: str
    summary: ReportSummary | None
    """Of the version last asked for; None where there is no report that can be read."""
    quarantine: QuarantineEntry | None
    files: frozenset[str]


@dataclass(frozen=True, slots=True)
class EpisodeList:
    """A page of the list."""

    rows: Sequence[Row]
    page: int
    """From 1."""
    num_pages: int
    num_found: int
    find: str
    """What names were looked for."""


@dataclass(frozen=True, slots=True)
class EpisodePage:
    """What is known of an episode, or of one version of it."""

    episode: str
    version: str | None
    """None for an episode that came to no version."""
    report: EpisodeReport | None
    problem: str | None
    """Why there is no report."""
    quarantine: QuarantineEntry | None
    files: frozenset[str]
    versions: Sequence[ReportSummary]
    """All that have a report, the one last asked for first."""
    before: str | None
    """The episode before it in the list."""
    after: str | None


def list_episodes(dataset: Dataset, *, page: int, find: str) -> EpisodeList:
    """A page of all episodes that were ever tried, by name; only what is on it is read.

    Args:
        dataset: Whose.
        page: From 1; one that is not there is the nearest that is.
        find: Part of the names wanted, in any case; all where it is empty.

    Raises:
        StorageError: A folder cannot be listed.
    """
    find = find.strip()[:_MOST_TYPED]
    names = [name for name in episode_names(dataset) if find.lower() in name.lower()]
    num_pages = max(1, -(-len(names) // PAGE_SIZE))
    page = min(max(1, page), num_pages)
    rows = [_row(dataset, name) for name in names[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]]
    return EpisodeList(rows, page, num_pages, len(names), find)


def episode_names(dataset: Dataset) -> list[str]:
    """Every episode that was ever tried, sorted.

    Raises:
        StorageError: A folder cannot be listed.
    """
    return sorted({*dataset.reported_episodes(), *dataset.quarantined()})


def find_episode(dataset: Dataset, episode: str) -> EpisodePage | None:
    """The version of an episode that was last asked for; None where the episode was never tried.

    Raises:
        StorageError: A folder cannot be listed.
    """
    names = episode_names(dataset)
    if episode not in names:
        return None
    versions = _versions(dataset, episode)
    if versions:
        return find_version(dataset, episode, versions[0].version)
    return EpisodePage(
        episode=episode,
        version=None,
        report=None,
        problem=None,
        quarantine=_quarantine(dataset, episode),
        files=frozenset(),
        versions=(),
        **_neighbours(names, episode),
    )


def find_version(dataset: Dataset, episode: str, version: str) -> EpisodePage | None:
    """A version of an episode; None where nothing of it is there.

    Raises:
        StorageError: A folder cannot be listed.
    """
    files = find_names(dataset, episode, version)
    if not files:
        return None
    report, problem = None, None
    try:
        report = load_report(dataset, episode, version=version)
    except StorageError as err:
        problem = str(err)
    return EpisodePage(
        episode=episode,
        version=version,
        report=report,
        problem=problem,
        quarantine=_quarantine(dataset, episode),
        files=files,
        versions=_versions(dataset, episode),
        **_neighbours(episode_names(dataset), episode),
    )


def _row(dataset: Dataset, episode: str) -> Row:
    summary = next(iter(_versions(dataset, episode)), None)
    files = frozenset[str]() if summary is None else find_names(dataset, episode, summary.version)
    return Row(episode, summary, _quarantine(dataset, episode), files)


def _versions(dataset: Dataset, episode: str) -> list[ReportSummary]:
    """The versions of an episode whose report can be read, the one last asked for first."""
    found = []
    for version in dataset.reported(episode):
        try:
            if inside(dataset, dataset.report_path(episode, version)):
                found.append(load_summary(dataset, episode, version=version))
        except StorageError:
            continue  # damaged: its page says so
    return sorted(found, key=asking, reverse=True)


def _quarantine(dataset: Dataset, episode: str) -> QuarantineEntry | None:
    try:
        is_there = inside(dataset, dataset.quarantine_path(episode))
        return read_quarantine(dataset, episode) if is_there else None
    except StorageError:
        return None


def _neighbours(names: list[str], episode: str) -> dict[str, str | None]:
    if episode not in names:
        return {"before": None, "after": None}
    place = names.index(episode)
    return {
        "before": names[place - 1] if place else None,
        "after": names[place + 1] if place + 1 < len(names) else None,
    }
