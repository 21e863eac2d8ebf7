"""Events of a step, stored many at once.

What a step yields goes one by one through Dagster's log manager, its handlers and a transaction or two: most of what
Dagster costs. Here the same events are handed to the event log together. The classes of `pipelines.event_log` store them as one;
Dagster's own classes are given them one by one, as if they had been yielded.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterable, Sequence
from typing import Final

import dagster as dg
from dagster._core.definitions.asset_checks.asset_check_evaluation import AssetCheckEvaluationTargetMaterializationData
from dagster._core.events import AssetObservationData, DagsterEvent, StepMaterializationData

Target = AssetCheckEvaluationTargetMaterializationData
"""Which materialisation a check speaks of."""
_Data = StepMaterializationData | AssetObservationData | dg.AssetCheckEvaluation


class Teller:
    """Tells the event log what a step has done, as if the step had yielded it.

    Args:
        context: The step's.
    """

    def __init__(self, context: dg.AssetExecutionContext) -> None:
        self._log: Final = context.instance.event_log_storage
        self._run_id: Final = context.run.run_id
        self._job_name: Final = context.job_name
        self._step: Final = context.get_step_execution_context().step

    def tell_materialisations(
        self, materialisations: Iterable[dg.AssetMaterialization]
    ) -> dict[tuple[dg.AssetKey, str], Target]:
        """Store materialisations of partitions; when this returns, they are kept.

        Returns:
            What a check of each has to name, by asset and partition.
        """
        entries = [
            self._entry(dg.DagsterEventType.ASSET_MATERIALIZATION, StepMaterializationData(each), "Materialized value.")
            for each in materialisations
        ]
        if not entries:
            return {}
        self._store(entries)
        # The run's latest are those: one step tells of it all.
        stored = self._log.get_asset_event_summary_records(
            dg.DagsterEventType.ASSET_MATERIALIZATION, run_id=self._run_id, limit=len(entries)
        )
        return {
            (each.asset_key, each.partition): Target(
                run_id=self._run_id, storage_id=each.storage_id, timestamp=each.timestamp
            )
            for each in stored
            if each.partition is not None
        }

    def tell_evaluations(self, evaluations: Iterable[dg.AssetCheckEvaluation]) -> None:
        """Store check evaluations; when this returns, they are kept."""
        entries = [
            self._entry(dg.DagsterEventType.ASSET_CHECK_EVALUATION, each, _sentence(each)) for each in evaluations
        ]
        if entries:
            self._store(entries)

    def tell_observations(self, observations: Iterable[dg.AssetObservation]) -> None:
        """Store observations of partitions, of which nothing is materialised; when this returns, they are kept."""
        entries = [
            self._entry(
                dg.DagsterEventType.ASSET_OBSERVATION, AssetObservationData(each), each.description or "Observed."
            )
            for each in observations
        ]
        if entries:
            self._store(entries)

    def find_target(self, asset: dg.AssetKey, partition: str) -> Target | None:
        """The latest materialisation of a partition that an earlier run told of."""
        found = self._log.fetch_materializations(
            dg.AssetRecordsFilter(asset_key=asset, asset_partitions=[partition]), limit=1
        ).records
        if not found:
            return None
        return Target(run_id=found[0].run_id, storage_id=found[0].storage_id, timestamp=found[0].timestamp)

    def _store(self, entries: Sequence[dg.EventLogEntry]) -> None:
        # Dagster's own class for PostgreSQL takes no checks in a batch, and notes the last asset of one only.
        if getattr(self._log, "stores_batches", False):
            self._log.store_event_batch(entries)
            return
        for entry in entries:
            self._log.store_event(entry)

    def _entry(self, kind: dg.DagsterEventType, data: _Data, message: str) -> dg.EventLogEntry:
        return dg.EventLogEntry(  # type: ignore[no-untyped-call]
            error_info=None,
            level=logging.DEBUG,
            user_message="",
            run_id=self._run_id,
            timestamp=time.time(),
            step_key=self._step.key,
            job_name=self._job_name,
            dagster_event=DagsterEvent(
                event_type_value=kind.value,
                job_name=self._job_name,
                step_handle=self._step.handle,
                node_handle=self._step.node_handle,
                step_kind_value=self._step.kind.value,
                event_specific_data=data,
                message=message,
                pid=os.getpid(),
            ),
        )


def _sentence(evaluation: dg.AssetCheckEvaluation) -> str:
    said = "passed" if evaluation.passed else "did not pass"
    more = f" {evaluation.description}" if evaluation.description else ""
    return f"Asset check '{evaluation.check_name}' on '{evaluation.asset_key.to_user_string()}' {said}.{more}"
