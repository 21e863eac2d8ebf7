"""The sensor `quarantine_changes`: the asset `quarantine` shows what is in quarantine now."""

from __future__ import annotations

import os
from collections.abc import Iterator

import dagster as dg

from assets.quarantine import describe_quarantine, quarantine
from bagmill.dataset import Dataset
from bagmill.deployment import ArrivalSettings
from pipelines.sensors.waiting import digest
from resources.datasets import DatasetFolder
from resources.media import MediaServer


def quarantine_sensor(settings: ArrivalSettings) -> dg.SensorDefinition:
    """The sensor of a deployment's quarantine."""

    @dg.sensor(
        name="quarantine_changes",
        asset_selection=[quarantine],
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.is_on else dg.DefaultSensorStatus.STOPPED,
        description="Show the quarantine anew when something came into it or left it. This needs no run.",
    )
    def quarantine_changes(
        context: dg.SensorEvaluationContext, dataset_folder: DatasetFolder, media: MediaServer
    ) -> dg.SensorResult | dg.SkipReason:
        dataset = dataset_folder.dataset
        found = digest(sorted(_files(dataset)))
        if found == context.cursor:
            return dg.SkipReason("the quarantine is as it was")
        told = dg.AssetMaterialization(quarantine.key, metadata=describe_quarantine(dataset, media))
        return dg.SensorResult(asset_events=[told], cursor=found)

    return quarantine_changes


def _files(dataset: Dataset) -> Iterator[tuple[str, int]]:
    """Name and modification time (ns) of every entry."""
    try:
        with os.scandir(dataset.quarantine_dir) as files:
            for file in files:
                if not file.name.startswith("."):
                    yield file.name, file.stat().st_mtime_ns
    except FileNotFoundError:
        return
