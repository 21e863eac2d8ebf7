"""What is asked for, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bagmill.cores import usable_cores
from bagmill.dataset import EpisodeReport, QuarantineEntry
from bagmill.local_paths import local_path
from bagmill.profile import Profile
from bagmill.quality import STAGES, Stage

Progress = Callable[[Stage, int, int], None]
"""(stage, done, total) in messages, ticks or frames: whatever the stage counts."""


@dataclass(frozen=True, slots=True)
class IngestRequest:
    """One episode to make; plain data, so that it can cross to another process or machine."""

    episode: str
    """Its name in the dataset: see `dataset.episode_name`."""
    recording: Path
    dataset: Path
    profile: Profile
    until: Stage = "preview"
    """The last stage wanted; the ones before it are made, or taken as they stand, too."""
    num_threads: int | None = None
    """Threads that encode; None: one a core this process may use."""
    is_forced: bool = False
    """Make it again even if the same version is published."""

    def __post_init__(self) -> None:
        for path in (self.recording, self.dataset):
            local_path(path)

    @property
    def num_threads_here(self) -> int:
        """`num_threads`, or one a core that this very process may use."""
        return self.num_threads or usable_cores()


@dataclass(frozen=True, slots=True)
class IngestOutcome:
    """What became of a request."""

    episode: str
    report: EpisodeReport
    """Every stage that ran: its metadata (units in the keys) and its checks. Stages that did not run are not in it."""
    refusal: QuarantineEntry | None
    """Why it went no further; None where everything asked for was made."""
    is_reused: bool
    """The version was published already: nothing was read but its report."""
    num_seconds: float

    @property
    def duplicate_of(self) -> str | None:
        """The episode that the same recording is ingested as already: this one ended there, which is no refusal."""
        return self.report.duplicate_of


def blank_report(request: IngestRequest, *, requested_ns: int) -> EpisodeReport:
    """A report that knows of the request, and nothing of the recording yet."""
    profile = request.profile
    return EpisodeReport(
        episode=request.episode,
        version=None,
        recording_path=str(request.recording),
        profile=profile.name,
        requested_ns=requested_ns,
        task=profile.task,
        robot=profile.robot,
        rate_hz=str(profile.rate_hz),
    )


def wanted_stages(request: IngestRequest) -> tuple[Stage, ...]:
    """The stages a request asks for, in their order."""
    stages = STAGES[: STAGES.index(request.until) + 1]
    return stages if request.profile.preview.enabled else tuple(stage for stage in stages if stage != "preview")
