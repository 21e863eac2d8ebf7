"""What starts by itself, once it is switched on."""

import hashlib
import json
import time
from collections.abc import Iterable, Iterator

import dagster as dg
from dagster._core.storage.dagster_run import IN_PROGRESS_RUN_STATUSES

from assets.batch import MAX_EPISODES_PER_RUN
from assets.partitions import EPISODES, find_new
from assets.requests import find_unfinished
from bagmill.episodes import episode_version
from bagmill.errors import RecordingError
from bagmill.ingest import IngestRequest
from bagmill.ingest.fingerprint import fingerprint
from pipelines.jobs import INGEST
from resources.datasets import DatasetFolder
from resources.profiles import ProfileRules
from resources.recordings import RecordingsFolder

SETTLED_AFTER_S = 60
"""A recording that was written to more recently may not be finished."""


@dg.sensor(job=INGEST, minimum_interval_seconds=60, default_status=dg.DefaultSensorStatus.STOPPED)
def new_recordings(
    context: dg.SensorEvaluationContext, recordings: RecordingsFolder
) -> dg.SensorResult | dg.SkipReason:
    """Register recordings that have no episode yet and nothing was written to for a minute, and ingest them."""
    new = find_new(context.instance, recordings, settled_before_s=time.time() - SETTLED_AFTER_S)
    if not new:
        return dg.SkipReason("nothing new")
    runs = [new[start : start + MAX_EPISODES_PER_RUN] for start in range(0, len(new), MAX_EPISODES_PER_RUN)]
    return dg.SensorResult(
        dynamic_partitions_requests=[EPISODES.build_add_request(new)],
        # New partitions stand behind the known ones in this order, so that a run's are a range.
        run_requests=[dg.RunRequest(tags=_range_tags(episodes)) for episodes in runs],
    )


@dg.sensor(job=INGEST, minimum_interval_seconds=300, default_status=dg.DefaultSensorStatus.STOPPED)
def unfinished_episodes(
    context: dg.SensorEvaluationContext,
    recordings: RecordingsFolder,
    dataset_folder: DatasetFolder,
    profiles: ProfileRules,
) -> dg.SensorResult | dg.SkipReason:
    """Ingest the registered episodes that are not finished: those whose recording or profile has changed, for one.

    What is finished is not looked at by any run. An episode that stays refused is not tried again until its recording or
    its profile is another.
    """
    if context.instance.get_runs_count(dg.RunsFilter(statuses=IN_PROGRESS_RUN_STATUSES)):
        return dg.SkipReason("a run is under way")
    known = context.instance.get_dynamic_partitions(str(EPISODES.name))
    dataset = dataset_folder.dataset
    unfinished = find_unfinished(known, recordings=recordings, dataset=dataset, profiles=profiles)
    states = dict(_settled_states(unfinished, before_s=time.time() - SETTLED_AFTER_S))
    if not states:
        return dg.SkipReason(f"nothing to do for {len(known)} episodes")
    return dg.SensorResult(
        run_requests=[
            dg.RunRequest(run_key=_digest([states[episode] for episode in run]), tags=_range_tags(run))
            for run in _ranges(known, states.keys())
        ]
    )


def _settled_states(requests: Iterable[IngestRequest], *, before_s: float) -> Iterator[tuple[str, str]]:
    """Episodes nothing was written to since, each with a digest of what would be ingested."""
    for request in requests:
        try:
            files = fingerprint(request.recording)
        except RecordingError:
            continue  # it went this instant
        if max((int(file[2]) for file in files), default=0) < before_s * 1e9:
            yield request.episode, _digest([request.episode, files, episode_version("", request.profile)])


def _ranges(known: Iterable[str], wanted: Iterable[str]) -> Iterator[list[str]]:
    """Wanted partitions, as runs over ranges of what is known, in its order."""
    wanted, run = set(wanted), list[str]()
    for episode in known:
        if episode not in wanted or len(run) == MAX_EPISODES_PER_RUN:
            if run:
                yield run
            run = []
        if episode in wanted:
            run.append(episode)
    if run:
        yield run


def _range_tags(episodes: list[str]) -> dict[str, str]:
    return {
        "dagster/asset_partition_range_start": episodes[0],
        "dagster/asset_partition_range_end": episodes[-1],
    }


def _digest(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()
