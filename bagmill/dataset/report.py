"""The report of one episode version: where it came from, what every stage said and measured, how long it took."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from bagmill.dataset.folder import Dataset
from bagmill.dataset.json_records import from_json, to_json
from bagmill.dataset.whole_file import read_whole, write_whole
from bagmill.errors import StorageError
from bagmill.profile import FeatureKind
from bagmill.quality.metric import CheckResult, Stage
from bagmill.recordings.losses import Loss

REPORT_SCHEMA = "bagmill-report-1"
REPORT_REMEDY = "Ingest the episode again with `force` to write its report anew"


@dataclass(frozen=True, slots=True)
class StageReport:
    """What one stage said of itself."""

    stage: Stage
    num_seconds: float
    metadata: Mapping[str, object]
    """Plain values (text, numbers, booleans, None, lists and mappings of them), units in the keys; NaN reads as None."""
    checks: tuple[CheckResult, ...]


@dataclass(frozen=True, slots=True)
class FeatureReport:
    """One feature of the episode, as it is stored."""

    name: str
    kind: FeatureKind
    shape: tuple[int, ...]
    """Of one tick's value."""
    dtype: str
    channel: str
    names: tuple[str, ...] = ()
    """Signals: what every column is called; empty in reports that were written before they said it."""
    named: tuple[bool, ...] = ()
    """Signals: whether a column's name is its own, as that of a joint, or numbers a place; empty: as `names`."""
    units: tuple[str | None, ...] = ()
    """Signals: of every column, None where the profile says none; empty: as `names`."""
    scale_m: float | None = None
    """Depth: metres that a count is; None: as `names`."""


@dataclass(frozen=True, slots=True)
class EpisodeReport:
    """All that is known of one episode version; None, 0 or empty where the line ended before it was known."""

    episode: str
    version: str | None
    """None where the line ended before it was known: such a report is not kept."""
    recording_path: str
    profile: str
    """The profile's name."""
    requested_ns: int
    """When this version was last asked for, ns since the Unix epoch, as the clock said: for people, see `order`."""
    recording_hash: str | None = None
    container: str | None = None
    task: str = ""
    robot: str = ""
    rate_hz: str = ""
    """Ticks a second, exact: `30` or `30000/1001`."""
    num_ticks: int = 0
    start_ns: int = 0
    """The first tick, ns since the Unix epoch."""
    duration_ns: int = 0
    """From the first tick to the last."""
    num_frames: int = 0
    """Frames stored, of all cameras together."""
    raw_bytes: int = 0
    """Of the recording's files."""
    stored_bytes: int = 0
    """Of the episode's files."""
    features: tuple[FeatureReport, ...] = ()
    stages: tuple[StageReport, ...] = ()
    """Those that ran, in the order they ran."""
    is_salvaged: bool = False
    """The recording is damaged and was read as far as it is whole: the episode is cut, or has holes."""
    num_messages_lost: int | None = 0
    """Messages of the recording that could not be read; None where it cannot be known."""
    lost_s: float | None = 0.0
    """Time that they covered; None where it cannot be known."""
    losses: tuple[Loss, ...] = ()
    """Place by place, and channel by channel where that is known."""
    duplicate_of: str | None = None
    """The episode that the same recording is ingested as already; this one ends after its first stage then."""
    order: int = 0
    """Which of the askings for a version of this episode was the last for this one, from 1: of several versions, the one with
    the highest is the current one, whatever the clock said. 0 in reports that were written before they said it."""
    pictures: Mapping[str, str] = field(default_factory=dict)
    """Film and pictures, by what follows the version in their name (`mp4`, `rates.png`): the checksum of each. What reports do
    not tell of that were written before they did is not compared."""

    @property
    def checks(self) -> tuple[CheckResult, ...]:
        """Of all stages, in their order."""
        return tuple(check for stage in self.stages for check in stage.checks)

    @property
    def failed_checks(self) -> tuple[str, ...]:
        """Names of all that failed, warnings too."""
        return tuple(check.name for check in self.checks if not check.is_passed)

    @property
    def is_blocked(self) -> bool:
        """A failed check keeps this version out of training."""
        return any(check.is_blocking for check in self.checks)

    @property
    def quality(self) -> dict[str, float]:
        """Metric → its worst value; nan where there was nothing to measure."""
        return {check.name: check.worst for check in self.checks}

    @property
    def num_seconds(self) -> float:
        """Spent in all stages together."""
        return sum(stage.num_seconds for stage in self.stages)

    @property
    def raw_bytes_per_s(self) -> float:
        """The recording's bytes by the seconds of all stages; nan before any ran."""
        return self.raw_bytes / self.num_seconds if self.num_seconds > 0 else float("nan")

    @property
    def frames_per_s(self) -> float:
        """Frames stored by the seconds of stage `episode`; nan where it did not run."""
        seconds = sum(stage.num_seconds for stage in self.stages if stage.stage == "episode")
        return self.num_frames / seconds if seconds > 0 else float("nan")

    def stage(self, name: Stage) -> StageReport | None:
        """What a stage said; None where it did not run."""
        return next((stage for stage in self.stages if stage.stage == name), None)

    def with_stage(self, stage: StageReport) -> EpisodeReport:
        """The report with one stage more, or with that stage said anew."""
        return replace(self, stages=(*(other for other in self.stages if other.stage != stage.stage), stage))


def save_report(dataset: Dataset, report: EpisodeReport) -> None:
    """Write a report to its place, whole or not at all.

    Raises:
        ValueError: The report has no version.
        StorageError: The disk does not take it.
    """
    if report.version is None:
        raise ValueError("a report without a version has no place in a dataset")
    derived = {"quality": report.quality, "failed_checks": report.failed_checks, "is_blocked": report.is_blocked}
    write_whole(
        dataset.report_path(report.episode, report.version), to_json(report, schema=REPORT_SCHEMA, derived=derived)
    )


def load_report(dataset: Dataset, episode: str, *, version: str) -> EpisodeReport:
    """Read a report back.

    Raises:
        StorageError: It is not there, or not what `save_report` wrote.
    """
    path = dataset.report_path(episode, version)
    data = read_whole(path, remedy=REPORT_REMEDY)
    try:
        report = from_json(data, EpisodeReport, schema=REPORT_SCHEMA)
    except ValueError as err:
        raise StorageError(f"is no report: {err}", path=path, remedy=REPORT_REMEDY) from err
    check_place(path, report.episode, report.version)
    return report


def check_place(path: Path, episode: str, version: str | None) -> None:
    """Whether a report tells of the episode and version that it stands under: what it says becomes a path elsewhere.

    Raises:
        StorageError: It tells of another.
    """
    if (episode, f"{version}.json") != (path.parent.name, path.name):
        raise StorageError(f"is the report of another, {episode!r} {version!r}", path=path, remedy=REPORT_REMEDY)
