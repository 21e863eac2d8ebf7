"""What two ticks of the sensor cost: looking through all episodes for those that are not finished, and making sure of them."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from assets.partitions import EPISODES


def prepare(home: str, settings: str) -> Callable[[], dict[str, Any]]:
    """Two ticks, in a process that has the definitions loaded, as a code server has.

    Args:
        home: Dagster's.
        settings: The deployment's file.
    """
    os.environ |= {"DAGSTER_HOME": home, "BAGMILL_DEPLOYMENT": settings}
    # Reads the deployment's file as it is imported.
    from pipelines.definitions import defs  # noqa: PLC0415

    instance = dg.DagsterInstance.get()
    resources = {name: (defs.resources or {})[name] for name in ("recordings", "dataset_folder", "profiles")}
    sensor = defs.resolve_sensor_def("arrivals")

    def look(cursor: str | None) -> dg.SensorResult:
        said = sensor(dg.build_sensor_context(instance=instance, resources=resources, cursor=cursor))
        assert isinstance(said, dg.SensorResult)
        return said

    def run() -> dict[str, Any]:
        # What has changed is taken in when it was the same at two looks.
        requests = look(look(None).cursor).run_requests or []
        known = instance.get_dynamic_partitions(str(EPISODES.name))
        return {"runs": [_episodes(known, dict(request.tags)) for request in requests]}

    return run


def _episodes(known: Sequence[str], tags: dict[str, str]) -> list[str]:
    first, last = (known.index(tags[f"dagster/asset_partition_range_{end}"]) for end in ("start", "end"))
    return list(known[first : last + 1])
