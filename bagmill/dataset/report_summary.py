"""The few keys of a report that a table over thousands of them needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bagmill.dataset.folder import Dataset
from bagmill.dataset.json_records import from_json
from bagmill.dataset.report import REPORT_REMEDY, REPORT_SCHEMA, EpisodeReport, FeatureReport, check_place
from bagmill.dataset.whole_file import read_whole
from bagmill.errors import StorageError
from bagmill.profile_numbers import parse_fraction


@dataclass(frozen=True, slots=True)
class ReportSummary:
    """`EpisodeReport` without its stages; every field as there."""

    episode: str
    version: str
    recording_path: str
    recording_hash: str | None
    container: str | None
    profile: str
    requested_ns: int
    task: str
    robot: str
    rate_hz: str
    num_ticks: int
    start_ns: int
    duration_ns: int
    num_frames: int
    raw_bytes: int
    stored_bytes: int
    features: tuple[FeatureReport, ...]
    quality: Mapping[str, float]
    failed_checks: tuple[str, ...]
    is_blocked: bool
    is_salvaged: bool = False
    num_messages_lost: int | None = 0
    lost_s: float | None = 0.0
    order: int = 0


def load_summary(dataset: Dataset, episode: str, *, version: str) -> ReportSummary:
    """Read a report's summary: a fraction of the time that the whole of it takes.

    Raises:
        StorageError: As `load_report`.
    """
    path = dataset.report_path(episode, version)
    data = read_whole(path, remedy=REPORT_REMEDY)
    try:
        summary = from_json(data, ReportSummary, schema=REPORT_SCHEMA)
        if summary.rate_hz:
            parse_fraction(summary.rate_hz)
    except ValueError as err:
        raise StorageError(f"is no report: {err}", path=path, remedy=REPORT_REMEDY) from err
    check_place(path, summary.episode, summary.version)
    return summary


def asking(report: EpisodeReport | ReportSummary) -> tuple[int, int, str]:
    """Larger of the version of an episode that was asked for later.

    The clock decides only between two that were asked for at once, by runs that did not see each other, and between reports
    from before they had an order.
    """
    return report.order, report.requested_ns, report.version or ""
