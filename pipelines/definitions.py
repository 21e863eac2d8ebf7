"""The definitions that Dagster loads: assets, jobs and sensors, wired to one deployment."""

from __future__ import annotations

from collections.abc import Iterable

import dagster as dg

import assets
from bagmill.limits import set_limits
from pipelines.deployment import AlertSettings, Deployment, FolderName, ProfileChoice, load_deployment
from pipelines.jobs import INGEST, REPORT_NIGHT, TAKE_SNAPSHOT, register_recordings
from pipelines.prune import prune_versions
from pipelines.release import release_quarantine
from pipelines.schedules import nightly_schedule
from pipelines.sensors import arrivals_sensor, quarantine_sensor
from pipelines.sensors.alerts import failed_checks_sensor, failed_runs_sensor
from pipelines.sensors.night_ends import night_ends_sensor
from resources.alerts import AlertSink, LogSink, WebhookSink
from resources.datasets import DatasetFolder
from resources.media import MediaServer
from resources.nights import Nights
from resources.profiles import ProfileRule, ProfileRules, Told
from resources.recordings import RecordingsFolder
from resources.workers import LocalWorkers


def build_defs(deployment: Deployment, **resource_overrides: object) -> dg.Definitions:
    """Wire everything to a deployment.

    Args:
        deployment: Its settings.
        resource_overrides: Resources to take in place of the deployment's, by name: `workers`, say.
    """
    resources: dict[str, object] = {
        "recordings": RecordingsFolder(folder=str(deployment.recordings)),
        "dataset_folder": DatasetFolder(folder=str(deployment.dataset)),
        "profiles": profile_rules(deployment.profiles),
        "nights": Nights(time_zone=deployment.nights.time_zone),
        "media": MediaServer(url=deployment.media.url),
        "alerts": _sink(deployment.alerts),
        "workers": LocalWorkers(processes=deployment.workers.processes, threads=deployment.workers.threads),
    }
    return dg.Definitions(
        assets=[
            assets.ingest,
            assets.snapshot,
            assets.dataset_overview,
            assets.normalisation,
            assets.nightly_report,
            assets.quarantine,
        ],
        jobs=[INGEST, TAKE_SNAPSHOT, REPORT_NIGHT, register_recordings, prune_versions, release_quarantine],
        schedules=[nightly_schedule(deployment.nights, settled_after_s=deployment.arrivals.settled_after_s)],
        sensors=[
            arrivals_sensor(deployment.arrivals),
            quarantine_sensor(deployment.arrivals),
            night_ends_sensor(deployment.nights),
            failed_runs_sensor(deployment.alerts, dagster_url=deployment.media.dagster_url),
            failed_checks_sensor(deployment.alerts, dagster_url=deployment.media.dagster_url),
        ],
        resources=resources | resource_overrides,
        # A run is one step, and its work is done by `workers`: a process for the step on top would only cost its start.
        executor=dg.in_process_executor,
    )


def _sink(settings: AlertSettings) -> AlertSink:
    if settings.webhook is None:
        return LogSink()
    return WebhookSink(url=settings.webhook, timeout_s=settings.timeout_s, attempts=settings.attempts)


def profile_rules(choices: Iterable[ProfileChoice]) -> ProfileRules:
    """The rules for profiles, as the deployment's file has them."""
    return ProfileRules(
        rules=[
            ProfileRule(
                match=choice.match, profile=str(choice.profile), robot=_told(choice.robot), task=_told(choice.task)
            )
            for choice in choices
        ]
    )


def _told(said: str | FolderName | None) -> Told | None:
    if said is None:
        return None
    return Told(folder=said.folder) if isinstance(said, FolderName) else Told(text=said)


_DEPLOYMENT = load_deployment()
set_limits(_DEPLOYMENT.limits)
defs = build_defs(_DEPLOYMENT)
