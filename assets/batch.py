"""The assets of the line, made for many episodes in one step, each episode reported by itself.

A run has an episode or a range of them, and one step: what a run and a step cost is shared out. Materialisations and
check results are told one by one and stored when they are told, so a run that is killed keeps what it finished. Where
an episode was refused the step fails at the end: by that, Dagster counts what was not told as failed.
"""

from collections.abc import Iterator
from contextlib import closing

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here

from assets.checks import check_specs
from assets.episode import EPISODE
from assets.metadata import table
from assets.partitions import EPISODES
from assets.preview import PREVIEW
from assets.recording import RECORDING
from assets.requests import make_requests, refuse
from assets.results import Selection, report_outcome, report_unreached
from assets.timeline import TIMELINE
from bagmill.dataset import QuarantineEntry
from resources.datasets import DatasetFolder
from resources.profiles import ProfileRules
from resources.recordings import RecordingsFolder
from resources.worker_process import Crash
from resources.workers import Workers

MAX_EPISODES_PER_RUN = 100


@dg.multi_asset(
    name="ingest_episodes",
    specs=[RECORDING, TIMELINE, EPISODE, PREVIEW],
    check_specs=check_specs(),
    partitions_def=EPISODES,
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=MAX_EPISODES_PER_RUN),
    can_subset=True,  # also makes every output optional: none is ever yielded
)
def ingest(
    context: dg.AssetExecutionContext,
    recordings: RecordingsFolder,
    dataset_folder: DatasetFolder,
    profiles: ProfileRules,
    workers: dg.ResourceParam[Workers],
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Ingest the run's episodes, as far as its selection goes."""
    selection = Selection.of(context.selected_asset_keys, context.selected_asset_check_keys)
    dataset = dataset_folder.dataset
    requests, refused = make_requests(
        context.partition_keys, recordings=recordings, dataset=dataset, profiles=profiles, until=selection.until
    )
    for refusal in refused:
        yield from report_unreached(refusal, selection=selection)
    with closing(workers.ingest_all(requests)) as results:
        for result in results:
            if isinstance(result, Crash):
                context.log.error(f"{result.episode}: {result.reason}\n{result.details}")
                recording = next(request.recording for request in requests if request.episode == result.episode)
                refused.append(
                    refuse(dataset, result.episode, recording=recording, reason=result.reason, remedy=result.remedy)
                )
                continue
            yield from report_outcome(context.instance, dataset, result, selection=selection)
            # A finished episode is known whole: what ended it later is no failure of a run that did not ask that far.
            if result.refusal is not None and selection.wants(result.refusal.stage):
                refused.append(result.refusal)
    if refused:
        raise _failure(refused, num_episodes=len(context.partition_keys))


def _failure(refused: list[QuarantineEntry], *, num_episodes: int) -> dg.Failure:
    lines = [f"  {entry.episode} (stage {entry.stage}): {entry.reason}" for entry in refused]
    rows = [
        {
            "episode": entry.episode,
            "stage": entry.stage,
            "failed_checks": entry.failed_checks,
            "reason": entry.reason,
            "remedy": entry.remedy or "",
        }
        for entry in refused
    ]
    return dg.Failure(
        description="\n".join(
            [f"{len(refused)} of {num_episodes} episodes were refused; the others are done.", *lines]
        ),
        metadata={"refused": table(rows)},
        allow_retries=False,  # the same recordings would be refused again
    )
