"""The assets of the line, made for many episodes in one step, each episode reported by itself.

A run has an episode or a range of them, and one step: what a run and a step cost is shared out. What became of an episode
is stored when it is known, so a run that is killed keeps what it finished. Where an episode was refused the step fails
at the end: by that, Dagster counts what was not told as failed.
"""

from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import chain
from typing import Final

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here

from assets.checks import check_specs
from assets.episode import EPISODE
from assets.metadata import table
from assets.partitions import EPISODES
from assets.preview import PREVIEW
from assets.recording import RECORDING
from assets.requests import make_requests
from assets.results import Selection, tell_outcomes, tell_refused
from assets.telling import Teller
from assets.timeline import TIMELINE
from bagmill.dataset import QuarantineEntry
from bagmill.errors import StorageError
from bagmill.ingest import FinishedEpisode, IngestOutcome, IngestRequest, split_finished
from bagmill.workers import Crash, refuse_crash
from resources.datasets import DatasetFolder
from resources.media import MediaServer
from resources.profiles import ProfileRules
from resources.recordings import LandingPlace
from resources.workers import Workers

MAX_EPISODES_PER_RUN: Final = 250
"""A run's start costs seconds, to be shared out; a run's page shows all its events, and has to stay legible."""
INGEST_POOL: Final = "ingest"
"""How many runs ingest at once is this pool's limit, in `dagster.yaml` or in the web UI under Deployment."""
_TOLD_AT_ONCE: Final = 50
"""Finished episodes."""


@dg.multi_asset(
    name="ingest_episodes",
    specs=[RECORDING, TIMELINE, EPISODE, PREVIEW],
    check_specs=check_specs(),
    partitions_def=EPISODES,
    backfill_policy=dg.BackfillPolicy.multi_run(max_partitions_per_run=MAX_EPISODES_PER_RUN),
    pool=INGEST_POOL,
    can_subset=True,  # also makes every output optional: none is ever yielded
)
def ingest(
    context: dg.AssetExecutionContext,
    recordings: dg.ResourceParam[LandingPlace],
    dataset_folder: DatasetFolder,
    profiles: ProfileRules,
    media: MediaServer,
    workers: dg.ResourceParam[Workers],
) -> Iterator[dg.AssetMaterialization | dg.AssetCheckEvaluation]:
    """Ingest the run's episodes, as far as its selection goes."""
    yield from ()  # a generator, because Dagster wants outputs of what is none; everything is told by the teller
    selection = Selection.of(context.selected_asset_keys, context.selected_asset_check_keys)
    dataset, teller = dataset_folder.dataset, Teller(context)
    requests, refused = make_requests(
        context.partition_keys, recordings=recordings, dataset=dataset, profiles=profiles, until=selection.until
    )
    tell_refused(teller, refused, media=media, selection=selection)
    finished, unfinished = split_finished(requests)
    context.log.info(f"{len(finished)} of {len(requests)} episodes are finished; {len(unfinished)} are to be made")
    asked = {request.episode: request for request in requests}
    with closing(workers.ingest_all(unfinished)) as results:
        # What is finished is told in batches and needs no worker; what is made, as soon as it is.
        for batch in chain(_recalled(finished, workers), ([result] for result in results)):
            outcomes = []
            for result in batch:
                if isinstance(result, Crash):
                    context.log.error(f"{result.episode}: {result.reason}\n{result.details}")
                    outcomes.append(refuse_crash(asked[result.episode], result))
                else:
                    outcomes.append(result)
            tell_outcomes(teller, outcomes, dataset=dataset, media=media, selection=selection)
            # A finished episode is known whole: what ended it later is no failure of a run that did not ask that far.
            refused += [each.refusal for each in outcomes if each.refusal and selection.wants(each.refusal.stage)]
    if refused:
        raise _failure(refused, num_episodes=len(context.partition_keys))


def _recalled(finished: Sequence[FinishedEpisode], workers: Workers) -> Iterator[list[IngestOutcome | Crash]]:
    for first in range(0, len(finished), _TOLD_AT_ONCE):
        recalled: list[IngestOutcome | Crash] = []
        damaged: list[IngestRequest] = []
        for episode in finished[first : first + _TOLD_AT_ONCE]:
            try:
                recalled.append(episode.recall())
            except StorageError:  # its report is damaged: made anew
                damaged.append(episode.request)
        yield recalled + list(workers.ingest_all(damaged))


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
    others = "; the others are done" if len(refused) < num_episodes else ""
    return dg.Failure(
        description="\n".join([f"{len(refused)} of {num_episodes} episodes were refused{others}.", *lines]),
        metadata={"refused": table(rows)},
        allow_retries=False,  # the same recordings would be refused again
    )
