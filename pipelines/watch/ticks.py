"""Sensors and schedules: which of them failed when they last ran."""

from __future__ import annotations

import re
from collections.abc import Iterator

import dagster as dg
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, InstigatorType, TickStatus
from dagster_shared.error import SerializableErrorInfo

from pipelines.watch.concern import Concern

_ON = {InstigatorStatus.RUNNING, InstigatorStatus.DECLARED_IN_CODE}


def look_at_ticks(instance: dg.DagsterInstance) -> Iterator[Concern]:
    """The sensors and schedules whose last tick failed."""
    for state in instance.all_instigator_state(instigator_statuses=_ON):
        ticks = instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=2)
        # The newest may be under way.
        last = next((tick for tick in ticks if tick.status != TickStatus.STARTED), None)
        if last is None or last.status != TickStatus.FAILURE:
            continue
        what = "schedule" if state.instigator_type == InstigatorType.SCHEDULE else "sensor"
        reason = "" if last.error is None else f": {_reason(last.error)}"
        yield Concern(
            "tick_failed",
            f"{what} {state.instigator_name}",
            f"The {what} {state.instigator_name} failed{reason}. It is tried again at its next tick.",
            _page(state, what),
        )


def _reason(error: SerializableErrorInfo) -> str:
    """What was raised first, which Dagster's own errors wrap."""
    while error.cause is not None:
        error = error.cause
    lines = [line.strip() for line in error.message.splitlines() if line.strip()]
    # Our own errors are sentences by themselves; the class of another says something.
    return re.sub(r"^bagmill\.[\w.]+: ", "", lines[-1]).rstrip(".") if lines else "without a word"


def _page(state: InstigatorState, what: str) -> str:
    repository = state.origin.repository_origin
    location = repository.code_location_origin.location_name
    name = location if repository.repository_name == "__repository__" else f"{repository.repository_name}@{location}"
    return f"/locations/{name}/{what}s/{state.instigator_name}"
