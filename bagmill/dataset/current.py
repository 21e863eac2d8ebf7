"""Which of an episode's versions is the current one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from bagmill.dataset.folder import Dataset
from bagmill.dataset.known_recordings import counts_elsewhere
from bagmill.dataset.report import EpisodeReport, save_report
from bagmill.dataset.report_summary import ReportSummary, asking, load_summary
from bagmill.disk import tells_of_disk
from bagmill.errors import StorageError


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
    return max(summaries, key=asking, default=None)


def next_order(dataset: Dataset, episode: str) -> int:
    """The order of whoever asks for a version of an episode now: one more than any of its reports has.

    Raises:
        StorageError: The episode's folder cannot be listed.
    """
    return 1 + max((summary.order for summary in _legible(dataset, episode)), default=0)


def make_current(dataset: Dataset, report: EpisodeReport, *, requested_ns: int) -> EpisodeReport:
    """Note that a version was asked for again, where another was asked for since.

    Without it, going back to an earlier profile would leave the later profile's version the current one. The one that was
    asked for last stays as it is, and nothing is written.

    Returns:
        The report as it stands now.

    Raises:
        StorageError: The disk does not take it.
    """
    last = newest(_legible(dataset, report.episode))
    if last is None or last.version == report.version:
        return report
    report = replace(report, requested_ns=requested_ns, order=next_order(dataset, report.episode))
    save_report(dataset, report)
    return report


def _legible(dataset: Dataset, episode: str) -> Iterator[ReportSummary]:
    """An episode's reports, less those that are damaged."""
    for version in dataset.reported(episode):
        try:
            yield load_summary(dataset, episode, version=version)
        except StorageError:
            continue


@tells_of_disk
def has_current(dataset: Dataset) -> bool:
    """Whether any episode can be in a snapshot; stops at the first that can.

    Raises:
        StorageError: A folder cannot be listed.
    """
    return any(_has_current(dataset, episode) for episode in _not_refused(dataset))


def _has_current(dataset: Dataset, episode: str) -> bool:
    try:
        return current_of(of_its_own(dataset, published_summaries(dataset, episode))) is not None
    except StorageError:
        return False  # a report of it is damaged, which leaves it out


def _not_refused(dataset: Dataset) -> Iterator[str]:
    quarantined = set(dataset.quarantined())
    return (episode for episode in dataset.episodes() if episode not in quarantined)
