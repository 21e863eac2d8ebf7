"""What starts by itself, once it is switched on."""

import time

import dagster as dg

from assets.batch import MAX_EPISODES_PER_RUN
from assets.partitions import EPISODES, find_new
from pipelines.jobs import INGEST
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
        run_requests=[
            # New partitions stand behind the known ones in this order, so that a run's are a range.
            dg.RunRequest(
                tags={
                    "dagster/asset_partition_range_start": episodes[0],
                    "dagster/asset_partition_range_end": episodes[-1],
                }
            )
            for episodes in runs
        ],
    )
