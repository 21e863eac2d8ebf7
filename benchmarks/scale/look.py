"""What a sensor's tick costs: looking through all episodes for those that are not finished."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Any

import dagster as dg

from assets.partitions import EPISODES


def prepare(home: str, settings: str) -> Callable[[], dict[str, Any]]:
    """One tick, in a process that has the definitions loaded, as a code server has.

    Args:
        home: Dagster's.
        settings: The deployment's file.
    """
    os.environ |= {"DAGSTER_HOME": home, "BAGMILL_DEPLOYMENT": settings}
    # Reads the deployment's file as it is imported.
    from pipelines.definitions import defs  # noqa: PLC0415
    from pipelines.sensors import unfinished_episodes  # noqa: PLC0415

    instance = dg.DagsterInstance.get()
    resources = {name: (defs.resources or {})[name] for name in ("recordings", "dataset_folder", "profiles")}

    def run() -> dict[str, Any]:
        said = unfinished_episodes(dg.build_sensor_context(instance=instance, resources=resources))
        requests = said.run_requests or [] if isinstance(said, dg.SensorResult) else []
        known = instance.get_dynamic_partitions(str(EPISODES.name))
        return {"runs": [_episodes(known, dict(request.tags)) for request in requests]}

    return run


def _episodes(known: Sequence[str], tags: dict[str, str]) -> list[str]:
    first, last = (known.index(tags[f"dagster/asset_partition_range_{end}"]) for end in ("start", "end"))
    return list(known[first : last + 1])
