"""The sensor that asks for a night's snapshot and report."""

import json

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here

from assets.nightly_report import NIGHT_TAG, nightly_report
from bagmill.dataset import has_current
from bagmill.deployment import NightSettings
from bagmill.errors import StorageError
from pipelines.jobs import REPORT_NIGHT
from pipelines.nights import MOST_NOTED, ended_nights
from resources.datasets import DatasetFolder


def night_ends_sensor(settings: NightSettings) -> dg.SensorDefinition:
    """The sensor of a deployment's nights."""

    @dg.sensor(
        name="night_ends",
        job=REPORT_NIGHT,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.is_on else dg.DefaultSensorStatus.STOPPED,
        description="When the last run of a night has ended, however it ended, make the snapshot and the night's report.",
    )
    def night_ends(context: dg.SensorEvaluationContext, dataset_folder: DatasetFolder) -> dg.SensorResult:
        # A night has one report, though its run be deleted later: another one would find what has come since.
        asked = json.loads(context.cursor or "[]")
        ended = ended_nights(context.instance, reported_by=str(REPORT_NIGHT.name), asked=asked)
        requests = [
            dg.RunRequest(run_key=night, tags={NIGHT_TAG: night}, asset_selection=_without_snapshot(dataset_folder))
            for night in ended
        ]
        return dg.SensorResult(
            run_requests=requests,
            skip_reason=None if requests else "no night has ended that is not reported",
            cursor=json.dumps(sorted({*asked, *ended})[-MOST_NOTED:]),
        )

    return night_ends


def _without_snapshot(dataset_folder: DatasetFolder) -> list[dg.AssetKey] | None:
    """The report alone, where no episode can be in a snapshot: what was refused is still to be told. None: everything."""
    try:
        return None if has_current(dataset_folder.dataset) else [nightly_report.key]
    except StorageError:
        return None  # the snapshot will say what is wrong
