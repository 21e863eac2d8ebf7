"""The sensor `arrivals`: recordings become partitions once they have settled, and runs are started for what is to be made.

Two things are looked for. At every tick, recordings that have no partition yet. Every few minutes, and as long as some are
waiting, the registered episodes that are not finished: whose recording or profile has changed since, whose run was killed,
which were released from quarantine. Either is taken in only when it was the same at two looks and nothing was written to
it for a while. What is refused is not tried again as it is: that is for the night, for a release, or for a backfill.
"""

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here

from assets.partitions import EPISODES
from assets.requests import Due, find_due
from bagmill.dataset import list_quarantine
from bagmill.deployment import ArrivalSettings
from pipelines.jobs import INGEST
from pipelines.sensors.ranges import range_tags, ranges, under_way
from pipelines.sensors.waiting import Waiting, digest
from resources.datasets import DatasetFolder
from resources.profiles import ProfileRules
from resources.recordings import LandingPlace

_ASKED_AGAIN_AFTER_S = 3600
"""A run that ended without having tried its episodes, because it was killed, say, is asked for again no sooner."""


def arrivals_sensor(settings: ArrivalSettings) -> dg.SensorDefinition:
    """The sensor of a deployment's arrivals."""

    @dg.sensor(
        name="arrivals",
        job=INGEST,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.is_on else dg.DefaultSensorStatus.STOPPED,
        description=(
            "Register recordings as episodes once nothing writes to them any more, and ingest them "
            + ("at once" if settings.ingest == "at_once" else "at night")
            + "; find what has changed since it was ingested."
        ),
    )
    def arrivals(
        context: dg.SensorEvaluationContext,
        recordings: dg.ResourceParam[LandingPlace],
        dataset_folder: DatasetFolder,
        profiles: ProfileRules,
    ) -> dg.SensorResult:
        look = _Look(context, settings, recordings, dataset_folder, profiles)
        return look.result()

    return arrivals


class _Look:
    """One tick."""

    def __init__(
        self,
        context: dg.SensorEvaluationContext,
        settings: ArrivalSettings,
        recordings: LandingPlace,
        dataset_folder: DatasetFolder,
        profiles: ProfileRules,
    ) -> None:
        self._settings = settings
        self._instance = context.instance
        self._before = Waiting.of_cursor(context.cursor)
        self._now_s = time.time()
        self._recordings = recordings
        self._dataset = dataset_folder.dataset
        self._profiles = profiles
        self._known = self._instance.get_dynamic_partitions(str(EPISODES.name))
        self._landed = recordings.look()

    def result(self) -> dg.SensorResult:
        """What to register, what to run, and what to look at once more."""
        known = set(self._known)
        new = [landed for episode, landed in self._landed.items() if episode not in known]
        is_whole = self._now_s - self._before.looked_again_s >= self._settings.look_again_every_s
        due = self._due(self._known if is_whole else [each for each in self._before.stamps if each in known])
        candidates = [*new, *(replace(each.landed, episode=episode) for episode, each in due.items())]
        settled, noted = self._before.split(
            candidates,
            written_before_s=self._now_s - self._settings.settled_after_s,
            most=self._settings.most_per_tick,
        )
        after = Waiting(noted, self._now_s if is_whole else self._before.looked_again_s)
        if is_whole and len(settled) + len(noted) < len(due):
            after = replace(after, looked_again_s=0.0)  # there is more than can be noted: the next look is whole, too
        registered = [landed.episode for landed in settled if landed.episode not in known]
        wanted = {each.episode: due[each.episode].attempt for each in settled if each.episode in due}
        if self._settings.ingest == "at_once":
            # What is finished though it has no partition is run, too, so that Dagster comes to know of it.
            wanted |= dict.fromkeys(registered, "") | {
                each.episode: each.attempt for each in self._find_due(registered)
            }
        runs = self._runs([*self._known, *registered], wanted)
        nothing = f"nothing to do: {len(self._landed)} recordings, {len(known)} episodes, {len(noted)} waiting"
        return dg.SensorResult(
            dynamic_partitions_requests=[EPISODES.build_add_request(registered)] if registered else [],
            run_requests=runs,
            skip_reason=None if runs or registered else nothing,
            cursor=after.to_cursor(),
        )

    def _due(self, episodes: Sequence[str]) -> dict[str, Due]:
        """Of registered episodes those to be run."""
        if self._settings.ingest == "at_night":
            released = {entry.episode for entry in list_quarantine(self._dataset) if entry.released_ns is not None}
            episodes = [episode for episode in episodes if episode in released]
        if not episodes:
            return {}
        due = self._find_due(episodes)
        busy = under_way(self._instance, self._known) if due else set()
        return {each.episode: each for each in due if each.episode not in busy}

    def _find_due(self, episodes: Sequence[str]) -> list[Due]:
        return find_due(
            episodes,
            recordings=self._recordings,
            dataset=self._dataset,
            profiles=self._profiles,
            landed=self._landed,
        )

    def _runs(self, known: Iterable[str], wanted: Mapping[str, str]) -> list[dg.RunRequest]:
        hour = self._now_s // _ASKED_AGAIN_AFTER_S
        return [
            dg.RunRequest(
                run_key=digest([hour, *((episode, wanted[episode]) for episode in run)]), tags=range_tags(run)
            )
            # New partitions stand behind the known ones in this order, so that a run's are a range.
            for run in ranges(known, wanted)
        ]
