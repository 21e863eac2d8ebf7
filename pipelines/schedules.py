"""What starts at its hour."""

import time
from collections.abc import Iterator, Sequence

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here
from dagster._core.storage.tags import RUN_KEY_TAG

from assets.nightly_report import NIGHT_TAG
from assets.partitions import EPISODES
from assets.requests import find_due
from bagmill.deployment import NightSettings, VerifySettings
from pipelines.jobs import INGEST, VERIFY_SAMPLE
from pipelines.nights import begin_night, runs_of
from pipelines.sensors.ranges import range_tags, ranges, under_way
from pipelines.sensors.waiting import digest
from pipelines.tick_preview import is_preview
from resources.datasets import DatasetFolder
from resources.nights import Nights
from resources.profiles import ProfileRules
from resources.recordings import LandingPlace

_MOST_NAMED = 10


def nightly_schedule(settings: NightSettings, *, settled_after_s: float) -> dg.ScheduleDefinition:
    """The schedule of a deployment's nights.

    Args:
        settings: When they begin.
        settled_after_s: A recording that was written to more recently may not be finished, and waits for the next night.
    """

    @dg.schedule(
        name="nightly",
        job=INGEST,
        cron_schedule=settings.cron,
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.is_on else dg.DefaultScheduleStatus.STOPPED,
        description=(
            "Ingest what has arrived and is not finished, and what failed for a reason that may have passed. When the "
            "last of it has ended, the sensor `night_ends` asks for the snapshot and the report."
        ),
    )
    def nightly(
        context: dg.ScheduleEvaluationContext,
        recordings: dg.ResourceParam[LandingPlace],
        dataset_folder: DatasetFolder,
        profiles: ProfileRules,
        nights: Nights,
    ) -> Iterator[dg.RunRequest | dg.SkipReason]:
        night = nights.date_of(context.scheduled_execution_time)
        is_looked_at = is_preview(context)
        known, due = _find_due(
            context,
            is_looked_at=is_looked_at,
            recordings=recordings,
            dataset_folder=dataset_folder,
            profiles=profiles,
            settled_after_s=settled_after_s,
        )
        # Where the daemon was killed between two of the night's runs it asks again: those that were made stand.
        made = {run.tags[RUN_KEY_TAG] for run in runs_of(context.instance, night) if RUN_KEY_TAG in run.tags}
        asked = {f"{night}:{digest(run)}": run for run in ranges(known, due)}
        if not is_looked_at:
            begin_night(context.instance, night, num_runs=len(made | asked.keys()))
        requests: list[dg.RunRequest | dg.SkipReason] = [
            dg.RunRequest(run_key=key, tags=range_tags(run) | {NIGHT_TAG: night})
            for key, run in asked.items()
            if key not in made
        ]
        yield from requests or [dg.SkipReason(f"nothing to ingest of {len(known)} episodes")]

    return nightly


def verify_schedule(settings: VerifySettings, *, time_zone: str) -> dg.ScheduleDefinition:
    """The schedule by which a part of the dataset is read back each time.

    Args:
        settings: When, and how large a part.
        time_zone: Of the deployment's nights.
    """
    return dg.ScheduleDefinition(
        name="verify_sample",
        job=VERIFY_SAMPLE,
        cron_schedule=settings.cron,
        execution_timezone=time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if settings.is_on else dg.DefaultScheduleStatus.STOPPED,
        run_config={"ops": {"dataset_health": {"config": {"sample": settings.sample}}}},
        description="Read the next part of the dataset back and compare it with its checksums.",
    )


def _find_due(
    context: dg.ScheduleEvaluationContext,
    *,
    is_looked_at: bool,
    recordings: LandingPlace,
    dataset_folder: DatasetFolder,
    profiles: ProfileRules,
    settled_after_s: float,
) -> tuple[Sequence[str], set[str]]:
    """All episodes, those that have just arrived among them, and which of them a night is to ingest.

    Where it is only looked at, what has just arrived has no partition yet, gets none, and is in none of the runs.
    """
    instance, name = context.instance, str(EPISODES.name)
    landed = recordings.look()
    before_ns = (time.time() - settled_after_s) * 1e9
    settled = {episode for episode, recording in landed.items() if recording.written_ns < before_ns}
    registered = set(instance.get_dynamic_partitions(name))
    new = [episode for episode in landed if episode in settled and episode not in registered]
    if new and is_looked_at:
        context.log.info(
            f"{len(new)} recordings have no partition yet and would get one: {', '.join(new[:_MOST_NAMED])}"
            + (f" and {len(new) - _MOST_NAMED} more" if len(new) > _MOST_NAMED else "")
            + ". Only then are there runs for them: launch the job register_recordings first."
        )
    elif new:
        instance.add_dynamic_partitions(name, new)
    known = instance.get_dynamic_partitions(name)
    due = find_due(
        known,
        recordings=recordings,
        dataset=dataset_folder.dataset,
        profiles=profiles,
        landed=landed,
        with_passing=True,
    )
    return known, {each.episode for each in due if each.landed.written_ns < before_ns} - under_way(instance, known)
