"""What became of an episode → Dagster's events: per stage its materialisation, then its checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import dagster as dg

from assets.checks import check_key, evaluation, not_measured, target_of
from assets.episode import describe_episode
from assets.metadata import Metadata, shown
from assets.timeline import describe_timeline
from bagmill.dataset import Dataset, EpisodeReport, QuarantineEntry, StageReport
from bagmill.ingest import IngestOutcome
from bagmill.quality import STAGES, Stage

_DESCRIPTIONS: Final[dict[Stage, Callable[[Dataset, EpisodeReport], Metadata]]] = {
    "timeline": describe_timeline,
    "episode": describe_episode,
}
"""What is told of a stage beside what the stage itself said."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is to report: some assets and some checks."""

    stages: AbstractSet[Stage]
    checks: AbstractSet[dg.AssetCheckKey]

    @classmethod
    def of(cls, assets: AbstractSet[dg.AssetKey], checks: AbstractSet[dg.AssetCheckKey]) -> Selection:
        """From what Dagster says is selected."""
        return cls({stage for stage in STAGES if dg.AssetKey(stage) in assets}, checks)

    @property
    def until(self) -> Stage:
        """The last stage that anything is asked of; the ones before it are made with it, or taken as they stand."""
        return next(stage for stage in reversed(STAGES) if stage in self.stages or self.checks_of(stage))

    def checks_of(self, stage: Stage) -> list[dg.AssetCheckKey]:
        """The checks asked for on a stage's asset, by name."""
        return sorted(key for key in self.checks if key.asset_key == dg.AssetKey(stage))

    def wants(self, stage: Stage) -> bool:
        """A stage is asked for, or is needed for one that is."""
        return STAGES.index(stage) <= STAGES.index(self.until)


def report_outcome(
    instance: dg.DagsterInstance, dataset: Dataset, outcome: IngestOutcome, *, selection: Selection
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Tell what became of one episode.

    Each event is stored before the next is asked for, so that a check finds the materialisation it speaks of.
    """
    for stage in outcome.report.stages:
        if stage.stage in selection.stages:
            yield _materialisation(dataset, outcome, stage)
        yield from _evaluations(instance, outcome.episode, stage, selection)
    if outcome.refusal is not None:
        yield from report_unreached(outcome.refusal, selection=selection, reached=outcome.report)


def report_unreached(
    refusal: QuarantineEntry, *, selection: Selection, reached: EpisodeReport | None = None
) -> Iterator[dg.AssetCheckEvaluation]:
    """Tell that a refused episode did not come as far as the checks of further stages.

    Args:
        refusal: Where and why its way ended.
        selection: What the run is to report.
        reached: What there is of it; None: nothing.
    """
    for stage in STAGES:
        if reached is None or reached.stage(stage) is None:
            for key in selection.checks_of(stage):
                yield not_measured(key, episode=refusal.episode, why=f"refused at stage {refusal.stage}")


def _evaluations(
    instance: dg.DagsterInstance, episode: str, stage: StageReport, selection: Selection
) -> Iterator[dg.AssetCheckEvaluation]:
    asked = selection.checks_of(stage.stage)
    if not asked:
        return
    target = target_of(instance, stage.stage, episode)
    results = {check_key(stage.stage, result.name): result for result in stage.checks}
    for key in asked:
        if key in results:
            yield evaluation(results[key], episode=episode, target=target)
        else:
            why = "the episode has nothing of the kind, or its profile switched the check off"
            yield not_measured(key, episode=episode, why=why, target=target)


def _materialisation(dataset: Dataset, outcome: IngestOutcome, stage: StageReport) -> dg.AssetMaterialization:
    report = outcome.report
    description = _DESCRIPTIONS[stage.stage](dataset, report) if stage.stage in _DESCRIPTIONS else {}
    # A recording is what its bytes are; what is made of it is named by those and the profile.
    data_version = report.recording_hash if stage.stage == "recording" else report.version
    return dg.AssetMaterialization(
        stage.stage,
        partition=outcome.episode,
        metadata=description
        | shown(stage.metadata)
        | shown({"is_reused": outcome.is_reused, "spent_s": round(stage.num_seconds, 3)}),
        tags=None
        if data_version is None
        else {"dagster/data_version": data_version, "dagster/data_version_is_user_provided": "true"},
    )
