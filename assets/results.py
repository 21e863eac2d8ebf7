"""What became of an episode → Dagster's events: per stage its materialisation, then its checks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Final

import dagster as dg

from assets.checks import check_key, evaluation, not_measured
from assets.episode import describe_episode
from assets.metadata import Metadata, shown
from assets.preview import describe_preview
from assets.recording import describe_recording
from assets.telling import Target, Teller
from assets.timeline import describe_timeline
from bagmill.dataset import Dataset, EpisodeReport, QuarantineEntry, StageReport
from bagmill.ingest import IngestOutcome
from bagmill.quality import STAGES, Stage
from resources.media import MediaServer

_DESCRIPTIONS: Final[dict[Stage, Callable[[Dataset, EpisodeReport, MediaServer], Metadata]]] = {
    "recording": describe_recording,
    "timeline": describe_timeline,
    "episode": describe_episode,
    "preview": describe_preview,
}
"""What is told of a stage beside what the stage itself said."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What a run is to report: some assets and some checks."""

    stages: AbstractSet[Stage]
    checks: Mapping[Stage, Sequence[dg.AssetCheckKey]]
    """By the stage of their asset, by name."""

    @classmethod
    def of(cls, assets: AbstractSet[dg.AssetKey], checks: AbstractSet[dg.AssetCheckKey]) -> Selection:
        """From what Dagster says is selected."""
        return cls(
            {stage for stage in STAGES if dg.AssetKey(stage) in assets},
            {stage: sorted(key for key in checks if key.asset_key == dg.AssetKey(stage)) for stage in STAGES},
        )

    @property
    def until(self) -> Stage:
        """The last stage that anything is asked of; the ones before it are made with it, or taken as they stand."""
        return next(stage for stage in reversed(STAGES) if stage in self.stages or self.checks[stage])

    def wants(self, stage: Stage) -> bool:
        """A stage is asked for, or is needed for one that is."""
        return STAGES.index(stage) <= STAGES.index(self.until)


def tell_outcomes(
    teller: Teller, outcomes: Sequence[IngestOutcome], *, dataset: Dataset, media: MediaServer, selection: Selection
) -> None:
    """Tell what became of episodes: all their materialisations, then the checks, which name them.

    An episode whose recording counts as another's, or whose profile has no preview, is told of at every stage: a backfill
    takes a partition of which nothing is told for failed.
    """
    outcomes = [replace(outcome, report=_whole(outcome, selection)) for outcome in outcomes]
    targets = teller.tell_materialisations(
        _materialisation(dataset, media, outcome, stage)
        for outcome in outcomes
        for stage in outcome.report.stages
        if stage.stage in selection.stages
    )
    evaluations: list[dg.AssetCheckEvaluation] = []
    for outcome in outcomes:
        for stage in outcome.report.stages:
            if keys := selection.checks[stage.stage]:
                of = dg.AssetKey(stage.stage), outcome.episode
                target = targets[of] if of in targets else teller.find_target(*of)
                evaluations += _evaluations(outcome.report, stage, keys, target)
        if outcome.refusal is not None:
            evaluations += _unreached(outcome.refusal, selection=selection, reached=outcome.report)
    teller.tell_evaluations(evaluations)
    teller.tell_observations(
        observation
        for outcome in outcomes
        if outcome.refusal and selection.wants(outcome.refusal.stage)
        for observation in _observations(outcome.refusal, media, selection)
    )


def tell_refused(
    teller: Teller, refusals: Sequence[QuarantineEntry], *, media: MediaServer, selection: Selection
) -> None:
    """Tell that episodes which could not even be tried did not come as far as any check, and why."""
    teller.tell_evaluations(
        evaluation for refusal in refusals for evaluation in _unreached(refusal, selection=selection, reached=None)
    )
    teller.tell_observations(
        observation for refusal in refusals for observation in _observations(refusal, media, selection)
    )


def _observations(refusal: QuarantineEntry, media: MediaServer, selection: Selection) -> Iterator[dg.AssetObservation]:
    """Why a partition is not there, on its own page: of the asset that refused it, and of those that would have followed."""
    metadata = shown(
        {
            "reason": refusal.reason,
            "remedy": refusal.remedy,
            "kind": refusal.kind,
            "page": dg.MetadataValue.url(media.episode_url(refusal.episode)),
            "recording": refusal.recording,
            "failed_checks": ", ".join(refusal.failed_checks),
            "may_pass": refusal.is_passing,
        }
    )
    first = STAGES.index(refusal.stage)
    for number, stage in enumerate(STAGES):
        if number == first or (number > first and stage in selection.stages):
            yield dg.AssetObservation(
                stage, partition=refusal.episode, description=f"Refused: {refusal.reason}", metadata=metadata
            )


def _unreached(
    refusal: QuarantineEntry, *, selection: Selection, reached: EpisodeReport | None
) -> Iterator[dg.AssetCheckEvaluation]:
    """The checks of the stages that a refused episode did not come to; `reached` is what there is of it."""
    for stage in STAGES:
        if reached is None or reached.stage(stage) is None:
            for key in selection.checks[stage]:
                yield not_measured(key, episode=refusal.episode, why=f"refused at stage {refusal.stage}")


def _whole(outcome: IngestOutcome, selection: Selection) -> EpisodeReport:
    """A report with the stages that an episode which was not refused did not come to, as far as there is anything to say."""
    report = outcome.report
    if report.duplicate_of is not None:
        metadata = {"duplicate_of": report.duplicate_of, "state": "not reached"}
    elif outcome.refusal is None:
        metadata = {"state": "switched off in the profile"}
    else:
        return report
    for stage in STAGES:
        if report.stage(stage) is None and selection.wants(stage):
            report = report.with_stage(StageReport(stage, 0.0, metadata, ()))
    return report


def _evaluations(
    report: EpisodeReport, stage: StageReport, asked: Iterable[dg.AssetCheckKey], target: Target | None
) -> Iterator[dg.AssetCheckEvaluation]:
    results = {check_key(stage.stage, result.name): result for result in stage.checks}
    for key in asked:
        if key in results:
            yield evaluation(results[key], episode=report.episode, target=target)
        else:
            why = "the episode has nothing of the kind, or its profile switched the check off"
            if report.duplicate_of is not None:
                why = f"the same recording as episode {report.duplicate_of}"
            yield not_measured(key, episode=report.episode, why=why, target=target)


def _materialisation(
    dataset: Dataset, media: MediaServer, outcome: IngestOutcome, stage: StageReport
) -> dg.AssetMaterialization:
    report = outcome.report
    if report.duplicate_of is not None:
        return dg.AssetMaterialization(
            stage.stage,
            partition=outcome.episode,
            description=f"The same recording as episode {report.duplicate_of}, which stands for it.",
            metadata=shown(stage.metadata) | shown({"is_reused": outcome.is_reused}),
        )
    page = None if report.version is None else dg.MetadataValue.url(media.page_url(report.episode, report.version))
    # A recording is what its bytes are; what is made of it is named by those and the profile.
    data_version = report.recording_hash if stage.stage == "recording" else report.version
    return dg.AssetMaterialization(
        stage.stage,
        partition=outcome.episode,
        metadata=shown({"page": page})
        | _DESCRIPTIONS[stage.stage](dataset, report, media)
        | shown(stage.metadata)
        | shown({"is_reused": outcome.is_reused, "spent_s": round(stage.num_seconds, 3)}),
        tags=None
        if data_version is None
        else {"dagster/data_version": data_version, "dagster/data_version_is_user_provided": "true"},
    )
