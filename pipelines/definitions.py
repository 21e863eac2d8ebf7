"""The definitions that Dagster loads: assets, jobs and sensors, wired to one deployment."""

from __future__ import annotations

import dagster as dg

import assets
from pipelines.deployment import Deployment, load_deployment
from pipelines.jobs import INGEST, TAKE_SNAPSHOT, register_recordings
from pipelines.sensors import new_recordings, unfinished_episodes
from resources.datasets import DatasetFolder
from resources.profiles import ProfileRule, ProfileRules
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
        "profiles": ProfileRules(
            rules=[ProfileRule(match=choice.match, profile=str(choice.profile)) for choice in deployment.profiles]
        ),
        "workers": LocalWorkers(processes=deployment.workers.processes, threads=deployment.workers.threads),
    }
    return dg.Definitions(
        assets=[assets.ingest, assets.snapshot],
        jobs=[INGEST, TAKE_SNAPSHOT, register_recordings],
        sensors=[new_recordings, unfinished_episodes],
        resources=resources | resource_overrides,
        # A run is one step, and its work is done by `workers`: a process for the step on top would only cost its start.
        executor=dg.in_process_executor,
    )


defs = build_defs(load_deployment())
