"""What is said of a run that has ended: read from its events."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import dagster as dg
from dagster._core.storage.tags import WILL_RETRY_TAG

from resources.alerts import Alert, AlertLine

_MOST_AT_ONCE: Final = 1000
"""Events read at a time."""


def alert_of_failure(instance: dg.DagsterInstance, run: dg.DagsterRun, *, url: str) -> Alert:
    """Why a run ended as failed: because episodes were refused, as they should be, or because it broke.

    Args:
        instance: Knows the events.
        run: Has failed.
        url: Of its page.
    """
    failures = [each.dagster_event for each in instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)]
    steps = [event.step_failure_data for event in failures if event is not None]
    for step in steps:
        said = step.user_failure_data
        refused = said.metadata.get("refused") if said is not None else None
        if said is not None and isinstance(refused, dg.TableMetadataValue):
            title = (said.description or "Episodes were refused.").split("\n", 1)[0]
            lines = [_line(record.data) for record in refused.records]
            return Alert.of("episodes_refused", title, run_id=run.run_id, job=run.job_name, url=url, lines=lines)
    reasons = [step.error.message for step in steps if step.error is not None] or _ends(instance, run.run_id)
    again = (
        "It is started again by itself." if run.tags.get(WILL_RETRY_TAG) == "true" else "It has to be started again."
    )
    reason = f" {reasons[0].strip().rstrip('.')}." if reasons else ""
    title = f"A run of {run.job_name} broke off.{reason} What it had published is kept. {again}"
    return Alert.of("run_crashed", title, run_id=run.run_id, job=run.job_name, url=url)


def alert_of_checks(instance: dg.DagsterInstance, run: dg.DagsterRun, *, url: str) -> Alert | None:
    """Which checks that stop an episode failed in a run, if any did.

    Args:
        instance: Knows the events.
        run: Has ended.
        url: Of its page.
    """
    failed = [
        AlertLine(
            episode=each.partition or "",
            stage=each.asset_key.to_user_string(),
            reason=f"check {each.check_name} failed: {each.description or 'without a word'}",
            remedy="",
        )
        for each in _evaluations(instance, run.run_id)
        if not each.passed and each.severity == dg.AssetCheckSeverity.ERROR
    ]
    if not failed:
        return None
    num_episodes = len({line.episode for line in failed})
    title = (
        f"Checks failed for {num_episodes} {'episode' if num_episodes == 1 else 'episodes'} in a run of {run.job_name}."
    )
    return Alert.of("checks_failed", title, run_id=run.run_id, job=run.job_name, url=url, lines=failed)


def _line(row: object) -> AlertLine:
    cells = row if isinstance(row, dict) else {}
    episode, stage, reason, remedy = (
        str(cells.get(name) or "").replace("\u00a0", " ") for name in ("episode", "stage", "reason", "remedy")
    )
    return AlertLine(episode=episode, stage=stage, reason=reason, remedy=remedy.rstrip("."))


def _ends(instance: dg.DagsterInstance, run_id: str) -> list[str]:
    """What was said last of a run that no step of ended: its process was killed, or could not be started."""
    said = instance.all_logs(run_id, of_type={dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.RUN_FAILURE})
    texts = [
        entry.dagster_event.message for entry in said if entry.dagster_event is not None and entry.dagster_event.message
    ]
    told = [
        text for text in texts if "crash" in text or "unexpectedly" in text or "is gone" in text or "timed out" in text
    ]
    return told[-1:] or texts[-1:]


def _evaluations(instance: dg.DagsterInstance, run_id: str) -> Iterator[dg.AssetCheckEvaluation]:
    cursor, has_more = None, True
    while has_more:
        page = instance.get_records_for_run(
            run_id, cursor=cursor, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION, limit=_MOST_AT_ONCE
        )
        for record in page.records:
            if (evaluation := record.event_log_entry.asset_check_evaluation) is not None:
                yield evaluation
        cursor, has_more = page.cursor, page.has_more
