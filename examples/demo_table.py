"""What became of every episode, as a table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rich.table import Table

from bagmill.cli.wording import bare_number_text
from bagmill.dataset import Dataset, EpisodeReport, QuarantineEntry, asking, load_report, read_quarantine


@dataclass(frozen=True, slots=True)
class Ending:
    """Where an episode's way ended."""

    report: EpisodeReport | None
    """Of the version last asked for; None where the recording could not be read."""
    refusal: QuarantineEntry | None

    @property
    def is_published(self) -> bool:
        """It went all the way."""
        return self.refusal is None and self.report is not None

    @property
    def has_cameras(self) -> bool:
        """There is something to see."""
        return self.report is not None and any(feature.kind != "signal" for feature in self.report.features)

    @property
    def stage(self) -> str:
        """The stage it was refused at."""
        return "" if self.refusal is None else self.refusal.stage

    @property
    def blocking_checks(self) -> tuple[str, ...]:
        """The checks that ended its way."""
        return () if self.refusal is None else self.refusal.failed_checks


def ending_of(dataset: Dataset, episode: str) -> Ending:
    """What became of an episode.

    Raises:
        StorageError: Its report or its quarantine entry is damaged.
    """
    versions = [path.stem for path in dataset.report_path(episode, "any").parent.glob("*.json")]
    reports = [load_report(dataset, episode, version=version) for version in versions]
    newest = max(reports, key=asking, default=None)
    return Ending(newest, read_quarantine(dataset, episode))


def endings_table(endings: Mapping[str, Ending]) -> Table:
    """One row an episode, for 80 columns."""
    shown = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    shown.add_column("episode", overflow="fold")
    shown.add_column("state", no_wrap=True)
    for number in ("frames", "raw\nMB", "stored\nMB", "ratio", "PSNR\ndB", "skew p99\nms", "checks"):
        shown.add_column(number, justify="right", no_wrap=True)
    for episode, ending in endings.items():
        shown.add_row(episode, _state(ending), *_numbers(ending.report))
    return shown


def reasons(endings: Mapping[str, Ending]) -> list[str]:
    """Why episodes went no further, one sentence each."""
    return [f"{episode}: {ending.refusal.reason}" for episode, ending in endings.items() if ending.refusal is not None]


def _numbers(report: EpisodeReport | None) -> list[str]:
    if report is None:
        return ["–"] * 7
    checks = report.checks
    is_stored = report.stored_bytes > 0
    return [
        str(report.num_frames) if is_stored else "–",
        _megabytes(report.raw_bytes),
        _megabytes(report.stored_bytes) if is_stored else "–",
        f"{report.raw_bytes / report.stored_bytes:.1f}" if is_stored else "–",
        _worst(report, "jpeg_psnr", "dB"),
        _worst(report, "skew", "ms"),
        f"{sum(check.is_passed for check in checks)}/{len(checks)}",
    ]


def _megabytes(size_bytes: int) -> str:
    return f"{size_bytes / 1e6:.3g}"


def _worst(report: EpisodeReport, metric: str, unit: str) -> str:
    return bare_number_text(report.quality.get(metric, float("nan")), unit)


def _state(ending: Ending) -> str:
    if ending.refusal is None:
        return "published" if ending.is_published else "not made"
    return "blocked" if ending.blocking_checks else "refused"
