"""The definitions that Dagster loads: assets, jobs and sensors, wired to one deployment."""

from __future__ import annotations

import dagster as dg

import assets
from bagmill.deployment import Deployment
from bagmill.limits import set_limits
from pipelines.configuration import configuration_spec
from pipelines.jobs import INGEST, REPORT_NIGHT, TAKE_SNAPSHOT, VERIFY_SAMPLE, register_recordings
from pipelines.last_good import InForce, load_in_force
from pipelines.prune import prune_versions
from pipelines.release import release_quarantine
from pipelines.schedules import nightly_schedule, verify_schedule
from pipelines.sensors import arrivals_sensor, quarantine_sensor
from pipelines.sensors.alerts import failed_checks_sensor, failed_runs_sensor
from pipelines.sensors.night_ends import night_ends_sensor
from pipelines.wiring import alert_sink, profile_rules
from resources.datasets import DatasetFolder
from resources.media import MediaServer
from resources.nights import Nights
from resources.recordings import RecordingsFolder
from resources.workers import LocalWorkers


def build_defs(
    deployment: Deployment, *, in_force: InForce | None = None, **resource_overrides: object
) -> dg.Definitions:
    """Wire everything to a deployment.

    Args:
        deployment: Its settings.
        in_force: Where they are from, for the web UI to show.
        resource_overrides: Resources to take in place of the deployment's, by name: `workers`, say.
    """
    resources: dict[str, object] = {
        "recordings": RecordingsFolder(folder=str(deployment.recordings)),
        "dataset_folder": DatasetFolder(folder=str(deployment.dataset)),
        "profiles": profile_rules(deployment.profiles),
        "nights": Nights(time_zone=deployment.nights.time_zone),
        "media": MediaServer(url=deployment.media.url),
        "alerts": alert_sink(deployment.alerts),
        "workers": LocalWorkers(processes=deployment.workers.processes, threads=deployment.workers.threads),
    }
    return dg.Definitions(
        assets=[
            assets.ingest,
            assets.snapshot,
            assets.dataset_overview,
            assets.dataset_health,
            assets.normalisation,
            assets.nightly_report,
            assets.quarantine,
            *([] if in_force is None else [configuration_spec(in_force)]),
        ],
        jobs=[
            INGEST,
            TAKE_SNAPSHOT,
            REPORT_NIGHT,
            VERIFY_SAMPLE,
            register_recordings,
            prune_versions,
            release_quarantine,
        ],
        schedules=[
            nightly_schedule(deployment.nights, settled_after_s=deployment.arrivals.settled_after_s),
            verify_schedule(deployment.verify, time_zone=deployment.nights.time_zone),
        ],
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


def _load() -> dg.Definitions:
    in_force = load_in_force()
    set_limits(in_force.deployment.limits)
    return build_defs(in_force.deployment, in_force=in_force)


defs = _load()
