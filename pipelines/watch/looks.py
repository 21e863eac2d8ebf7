"""Everything that is looked at, for one deployment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import dagster as dg

from bagmill.deployment import Deployment
from pipelines.configuration import NAME
from pipelines.last_good import InForce
from pipelines.watch.concern import Concern, Look
from pipelines.watch.daemons import look_at_daemons
from pipelines.watch.disks import look_at_disks
from pipelines.watch.robots import last_recorded, look_at_robots
from pipelines.watch.ticks import look_at_ticks
from pipelines.wiring import profile_rules
from resources.recordings import RecordingsFolder

_ROBOTS_EVERY_S: Final = 600.0
"""All recordings are listed for it."""


class Looks:
    """What is looked at, again and again.

    Args:
        instance: Of Dagster.
    """

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self._instance = instance
        self._began_s = time.time()
        self._listed_s = 0.0
        self._recorded_s: dict[str, float] = {}

    def of(self, in_force: InForce) -> Sequence[tuple[str, Look]]:
        """The looks, by name, with the settings as they are now."""
        deployment = in_force.deployment
        return [
            ("the configuration", lambda: _look_at_configuration(in_force)),
            ("Dagster's daemon", lambda: look_at_daemons(self._instance, since_s=self._began_s)),
            ("the sensors and schedules", lambda: look_at_ticks(self._instance)),
            (
                "the disks",
                lambda: look_at_disks(_folders(deployment), least_percent=deployment.alerts.disk_free_percent),
            ),
            ("the robots", lambda: self._look_at_robots(deployment)),
        ]

    def _look_at_robots(self, deployment: Deployment) -> Iterator[Concern]:
        silent_after_h = deployment.alerts.silent_after_h
        if silent_after_h is None:
            return
        if time.time() - self._listed_s > _ROBOTS_EVERY_S:
            found = last_recorded(
                RecordingsFolder(folder=str(deployment.recordings)), profile_rules(deployment.profiles)
            )
            # A robot whose recordings were cleared away is still one.
            self._recorded_s |= {robot: max(at_s, self._recorded_s.get(robot, 0.0)) for robot, at_s in found.items()}
            self._listed_s = time.time()
        yield from look_at_robots(self._recorded_s, silent_after_h=silent_after_h)


def _look_at_configuration(in_force: InForce) -> Iterator[Concern]:
    if in_force.problem is not None:
        said = f"The deployment's file is wrong, and what it said before stays in force. {in_force.problem}"
        yield Concern("configuration_wrong", str(in_force.path), said, f"/assets/{NAME}")


def _folders(deployment: Deployment) -> dict[str, Path]:
    folders = {"recordings": deployment.recordings, "dataset": deployment.dataset}
    home = os.environ.get("DAGSTER_HOME")
    return folders | ({"Dagster's database": Path(home)} if home else {})
