"""What became of an episode → Dagster's events: per stage its materialisation, then its checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

import dagster as dg

from assets.checks import check_key, evaluation, not_applicable, target_of
from assets.metadata import Metadata, shown
from assets.preview import preview_pictures
from assets.timeline import timeline_pictures
from bagmill.dataset import Dataset, EpisodeReport, StageReport
from bagmill.ingest import IngestOutcome
from bagmill.quality import STAGES, Stage

_PICTURES: Final[dict[Stage, Callable[[Dataset, EpisodeReport], Metadata]]] = {
    "timeline": timeline_pictures,
    "preview": preview_pictures,
}


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
        return next(
            stage
            for stage in reversed(STAGES)
            if stage in self.stages or any(key.asset_key == dg.AssetKey(stage) for key in self.checks)
        )

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


def _evaluations(
    instance: dg.DagsterInstance, episode: str, stage: StageReport, selection: Selection
) -> Iterator[dg.AssetCheckEvaluation]:
    asked = {key for key in selection.checks if key.asset_key == dg.AssetKey(stage.stage)}
    if not asked:
        return
    target = target_of(instance, stage.stage, episode)
    for result in stage.checks:
        if check_key(stage.stage, result.name) in asked:
            yield evaluation(result, episode=episode, target=target)
    for key in sorted(asked - {check_key(stage.stage, result.name) for result in stage.checks}):
        # Told nothing, Dagster would count the check as broken wherever the run ends as failed, for whatever reason.
        yield not_applicable(key, episode=episode, target=target)


def _materialisation(dataset: Dataset, outcome: IngestOutcome, stage: StageReport) -> dg.AssetMaterialization:
    report = outcome.report
    pictures = _PICTURES[stage.stage](dataset, report) if stage.stage in _PICTURES else {}
    # A recording is what its bytes are; what is made of it is named by those and the profile.
    data_version = report.recording_hash if stage.stage == "recording" else report.version
    return dg.AssetMaterialization(
        stage.stage,
        partition=outcome.episode,
        metadata=pictures
        | shown(stage.metadata)
        | shown({"is_reused": outcome.is_reused, "spent_s": round(stage.num_seconds, 3)}),
        tags=None
        if data_version is None
        else {"dagster/data_version": data_version, "dagster/data_version_is_user_provided": "true"},
    )
