"""Nights: which runs belong to one, and when it has ended.

That a night has begun, and with how many runs, is kept where Dagster keeps its daemons' own notes: in its database, because
that is where the runs are. A night without a run would leave no other trace.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import dagster as dg
from dagster._core.storage.tags import PARENT_RUN_ID_TAG

from assets.nightly_report import NIGHT_TAG
from pipelines.jobs import INGEST

_NOTE: Final = "bagmill/nights"
MOST_NOTED: Final = 14
"""Nights that are remembered."""
_GIVEN_UP_AFTER_S: Final = 24 * 3600
"""Runs that Dagster was asked for and has not made by then are not to come."""
_LAUNCHED_LATELY: Final = timedelta(days=2)
_LAUNCHED_WITHIN_S: Final = 60
"""A browser that launches all that a preview shows needs no longer from one run to the next."""


def begin_night(instance: dg.DagsterInstance, night: str, *, num_runs: int, now: datetime | None = None) -> None:
    """Note that a night has begun.

    Args:
        instance: Keeps the note.
        night: Its date.
        num_runs: All that it will have, those that it has already among them.
        now: With its time zone; None: now.
    """
    begun = _begun(instance)
    noted = begun.get(night, {"begun_s": _seconds(now)}) | {"num_runs": num_runs}
    latest = dict(sorted((begun | {night: noted}).items())[-MOST_NOTED:])
    instance.daemon_cursor_storage.set_cursor_values({_NOTE: json.dumps(latest)})


def runs_of(
    instance: dg.DagsterInstance, nights: str | Sequence[str], *, job: str = str(INGEST.name)
) -> list[dg.DagsterRun]:
    """The runs of a job that belong to nights."""
    return list(instance.get_runs(dg.RunsFilter(job_name=job, tags={NIGHT_TAG: nights})))


def ended_nights(instance: dg.DagsterInstance, *, reported_by: str, asked: Collection[str] = ()) -> list[str]:
    """The nights whose last run has ended, however it ended, and that have no report yet; the oldest first.

    Args:
        instance: Knows the runs.
        reported_by: The job that is to run at the end of each.
        asked: Nights whose report was asked for, whatever has become of its run.
    """
    begun = _launched(instance) | _begun(instance)
    if not begun:
        return []
    reported = {run.tags[NIGHT_TAG] for run in runs_of(instance, list(begun), job=reported_by)}
    now_s = _seconds(None)
    return [
        night
        for night, noted in sorted(begun.items())
        if night not in reported
        and night not in asked
        and _has_ended(
            runs_of(instance, night), num_runs=noted["num_runs"], is_old=now_s - noted["begun_s"] > _GIVEN_UP_AFTER_S
        )
    ]


def _launched(instance: dg.DagsterInstance) -> dict[str, dict[str, float]]:
    """The nights that somebody launched from the schedule's preview, by their runs; those that are noted say more."""
    launched: dict[str, dict[str, float]] = {}
    lately = dg.RunsFilter(job_name=str(INGEST.name), created_after=datetime.now(UTC) - _LAUNCHED_LATELY)
    for record in instance.get_run_records(lately):
        night, created_s = record.dagster_run.tags.get(NIGHT_TAG), record.create_timestamp.timestamp()
        if night is not None:
            noted = launched.setdefault(night, {"begun_s": created_s, "num_runs": 0, "latest_s": created_s})
            noted["num_runs"] += PARENT_RUN_ID_TAG not in record.dagster_run.tags
    now_s = _seconds(None)
    # All of a night's runs are launched together, but one after the other.
    return {night: noted for night, noted in launched.items() if now_s - noted["latest_s"] > _LAUNCHED_WITHIN_S}


def _has_ended(runs: Sequence[dg.DagsterRun], *, num_runs: float, is_old: bool) -> bool:
    if not all(run.is_finished for run in runs):
        return False
    # A run that somebody started again from the web UI has the tags of the first.
    num_made = sum(PARENT_RUN_ID_TAG not in run.tags for run in runs)
    return num_made >= num_runs or is_old


def _seconds(now: datetime | None) -> float:
    return (now or datetime.now(UTC)).timestamp()


def _begun(instance: dg.DagsterInstance) -> dict[str, dict[str, float]]:
    text = instance.daemon_cursor_storage.get_cursor_values({_NOTE}).get(_NOTE)
    return {} if text is None else json.loads(text)
