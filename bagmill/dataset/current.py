"""Which of an episode's versions is the current one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bagmill.dataset.folder import Dataset
from bagmill.dataset.known_recordings import counts_elsewhere
from bagmill.dataset.report_summary import ReportSummary, load_summary


def published_summaries(dataset: Dataset, episode: str) -> list[ReportSummary]:
    """The reports of an episode's published versions, by version.

    A version that was published and has no report yet is not finished, and left out.

    Raises:
        StorageError: A report is damaged, or the episode's folder cannot be listed.
    """
    versions = [each for each in dataset.published(episode) if dataset.report_path(episode, each).exists()]
    return [load_summary(dataset, episode, version=version) for version in versions]


def of_its_own(dataset: Dataset, summaries: Iterable[ReportSummary]) -> list[ReportSummary]:
    """Versions less those of a recording that counts as another episode: see `known_recordings`."""
    return [
        summary
        for summary in summaries
        if not counts_elsewhere(dataset, content_hash=summary.recording_hash, episode=summary.episode)
    ]


def current_of(summaries: Iterable[ReportSummary]) -> ReportSummary | None:
    """Of an episode's published versions the one last asked for that failed no blocking check; None where all did."""
    return newest(summary for summary in summaries if not summary.is_blocked)


def newest(summaries: Iterable[ReportSummary]) -> ReportSummary | None:
    """The version last asked for."""
    return max(summaries, key=lambda summary: (summary.requested_ns, summary.version), default=None)


def has_current(dataset: Dataset) -> bool:
    """Whether any episode can be in a snapshot; stops at the first that can.

    Raises:
        StorageError: A report on the way there is damaged, or a folder cannot be listed.
    """
    return any(
        current_of(of_its_own(dataset, published_summaries(dataset, episode))) is not None
        for episode in _not_refused(dataset)
    )


def _not_refused(dataset: Dataset) -> Iterator[str]:
    quarantined = set(dataset.quarantined())
    return (episode for episode in dataset.episodes() if episode not in quarantined)
