"""The sensors that tell a sink of runs that failed and of checks that failed, once a run.

Dagster's own run status sensors go on to the next run when one could not be told of. These keep what is not delivered in
their cursor and try it again at the next tick; where the process was killed between a delivery and the cursor, that run is
told of twice.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import dagster as dg

from bagmill.deployment import AlertSettings
from pipelines.alerts import alert_of_checks, alert_of_failure
from pipelines.tick_preview import is_preview
from resources.alerts import Alert, AlertError, AlertSink, LogSink

MOST_WAITING: Final = 1000
"""Runs that are kept to be told of; of what is older, the log has a line."""
_MOST_AT_ONCE: Final = 100
_LONGEST_TICK_S: Final = 20.0
"""Dagster gives a tick a minute; the last delivery may take half of it."""

_End = Literal[dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE]
_Ended = tuple[int, str]
"""Number of the event by which a run ended, and the run's id."""
_Tell = Callable[[dg.DagsterInstance, dg.DagsterRun, str], Alert | None]


@dataclass(frozen=True, slots=True)
class _Cursor:
    """What a sensor remembers."""

    seen: dict[str, int]
    """Event type → number of the last event of it that was looked at."""
    waiting: tuple[str, ...] = ()
    """Runs not told of yet, the oldest first."""

    @classmethod
    def parse(cls, text: str) -> _Cursor:
        content = json.loads(text)
        return cls(content["seen"], tuple(content["waiting"]))

    def to_text(self) -> str:
        return json.dumps({"seen": self.seen, "waiting": self.waiting})


def failed_runs_sensor(settings: AlertSettings, *, dagster_url: str) -> dg.SensorDefinition:
    """Tells of runs that ended as failed: because episodes were refused, or because they broke."""

    def tell(instance: dg.DagsterInstance, run: dg.DagsterRun, url: str) -> Alert:
        return alert_of_failure(instance, run, url=url)

    return _sensor(
        "alert_of_failed_runs",
        "Tell of every run that failed: which episodes were refused and why, or what broke.",
        [dg.DagsterEventType.RUN_FAILURE],
        tell,
        settings=settings,
        dagster_url=dagster_url,
    )


def failed_checks_sensor(settings: AlertSettings, *, dagster_url: str) -> dg.SensorDefinition:
    """Tells of checks of severity ERROR that failed, however their run ended."""

    def tell(instance: dg.DagsterInstance, run: dg.DagsterRun, url: str) -> Alert | None:
        return alert_of_checks(instance, run, url=url)

    return _sensor(
        "alert_of_failed_checks",
        "Tell of every run in which checks that stop an episode failed: which, for which episodes, by how much.",
        [dg.DagsterEventType.RUN_SUCCESS, dg.DagsterEventType.RUN_FAILURE],
        tell,
        settings=settings,
        dagster_url=dagster_url,
    )


def _sensor(
    name: str,
    description: str,
    ends: Sequence[_End],
    tell: _Tell,
    *,
    settings: AlertSettings,
    dagster_url: str,
) -> dg.SensorDefinition:
    def look(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        sink: AlertSink = context.resources.alerts
        if not context.cursor:
            # What had failed before the sensor was switched on is not news.
            context.update_cursor(_Cursor({end.value: _last(context.instance, end) for end in ends}).to_text())
            return dg.SkipReason("watching from now on")
        cursor = _Cursor.parse(context.cursor)
        if is_preview(context):
            sink = LogSink()
        ended, seen = _ended_since(context.instance, cursor, ends)
        waiting = [*cursor.waiting, *ended]
        num_told, problem = _deliver(context, waiting, tell, sink=sink, dagster_url=dagster_url)
        left = waiting[num_told:]
        if len(left) > MOST_WAITING:
            context.log.error(f"not told of any more, there are too many: runs {', '.join(left[:-MOST_WAITING])}")
        context.update_cursor(_Cursor(seen, tuple(left[-MOST_WAITING:])).to_text())
        if problem:
            return dg.SkipReason(f"{num_told} runs looked at, {len(left)} left for the next tick: {problem}")
        return dg.SkipReason(f"{num_told} runs looked at")

    return dg.SensorDefinition(
        name=name,
        evaluation_fn=look,
        description=description,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING if settings.is_on else dg.DefaultSensorStatus.STOPPED,
        required_resource_keys={"alerts"},
    )


def _deliver(
    context: dg.SensorEvaluationContext, runs: Sequence[str], tell: _Tell, *, sink: AlertSink, dagster_url: str
) -> tuple[int, str]:
    """Tell of runs, as far as time and the sink allow; returns how many, and what came in between."""
    deadline = time.monotonic() + _LONGEST_TICK_S
    for number, run_id in enumerate(runs):
        if time.monotonic() > deadline:
            return number, "there are too many for one tick"
        run = context.instance.get_run_by_id(run_id)
        alert = None if run is None else tell(context.instance, run, f"{dagster_url}/runs/{run_id}")
        if alert is not None:
            try:
                sink.deliver(alert)
            except AlertError as err:
                context.log.warning(f"{err}\nIt is tried again at the next tick. The alert:\n{alert.text}")
                return number, err.sentence
    return len(runs), ""


def _ended_since(
    instance: dg.DagsterInstance, cursor: _Cursor, ends: Sequence[_End]
) -> tuple[list[str], dict[str, int]]:
    """Runs that ended since, in the order in which they did."""
    ended: list[_Ended] = []
    seen = dict(cursor.seen)
    for end in ends:
        after = dg.RunStatusChangeRecordsFilter(end, after_storage_id=seen.get(end.value, -1))
        records = instance.fetch_run_status_changes(after, limit=_MOST_AT_ONCE, ascending=True).records
        ended += [(record.storage_id, record.event_log_entry.run_id) for record in records]
        if records:
            seen[end.value] = records[-1].storage_id
    return [run_id for _, run_id in sorted(ended)], seen


def _last(instance: dg.DagsterInstance, end: _End) -> int:
    records = instance.fetch_run_status_changes(end, limit=1, ascending=False).records
    return records[0].storage_id if records else -1
