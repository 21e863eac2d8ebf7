"""Dagster's instance, of a deployment whose runs may be killed: what one part of the daemon has to know, it knows in time.

Three parts of Dagster's daemon look at a killed run, each at its own pace and all of them right after a start: the monitoring
marks it as failed, the retries start another for it, and the backfill that it belongs to is summed up. Two of their races end
a backfill as failed for ever although everything it wanted is made:

- Dagster stores a failure first, the run's status next, and that the run will be retried last. A backfill that looks in
  between finds a failed run that nobody is going to retry.
- Dagster counts what a backfill has made, and looks whether its runs have ended after that. A retry that ends in between has
  made what is not counted, and what its killed predecessor had left still counts as failed.

And Dagster's queue stores the limit of a pool the first time that it finds a run of that pool, after it has read which pools
are limited: what waits at that moment is started all together, once in the life of a database.

No setting closes any of them. They are closed here, by the order in which things become known and not by waiting.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from dagster import (
    DagsterEventType,
    DagsterInstance,
    DagsterRun,
    DagsterRunStatus,
    RunsFilter,
    RunStatusChangeRecordsFilter,
)
from dagster._core.events import JobFailureData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.execution.retries import auto_reexecution_should_retry_run
from dagster._core.instance.ref import InstanceRef
from dagster._core.storage.dagster_run import NOT_FINISHED_STATUSES
from dagster._core.storage.tags import BACKFILL_ID_TAG, WILL_RETRY_TAG
from dagster._time import datetime_from_timestamp

if TYPE_CHECKING:
    from dagster import EventLogEntry
    from dagster._core.events import DagsterEventBatchMetadata
    from dagster._core.workspace.context import BaseWorkspaceRequestContext
    from dagster._serdes import ConfigurableClassData

_ENDS: Final = (DagsterEventType.RUN_SUCCESS, DagsterEventType.RUN_FAILURE, DagsterEventType.RUN_CANCELED)
_MOST_ENDS: Final = 1000
"""Of runs that ended in the seconds that a backfill is looked at; more of them count as one of its own."""
_LOG: Final = logging.getLogger(__name__)


class DeploymentInstance(DagsterInstance):
    """As `DagsterInstance`; `instance_class` of `dagster.yaml` names it."""

    @classmethod
    def config_schema(cls) -> dict[str, Any]:
        """No settings of its own."""
        return {}

    @classmethod
    def config_defaults(cls, base_dir: str) -> Mapping[str, ConfigurableClassData | None]:
        """What `dagster.yaml` does not say is as Dagster has it."""
        return InstanceRef.config_defaults(base_dir)

    def submit_run(self, run_id: str, workspace: BaseWorkspaceRequestContext) -> DagsterRun:
        """Put a run into the queue; the limits of its pools are there before it is."""
        run = self.get_run_by_id(run_id)
        if run is not None and run.run_op_concurrency and self.global_op_concurrency_default_limit is not None:
            for pool in set(run.run_op_concurrency.all_pools or ()) - self.event_log_storage.get_concurrency_keys():
                self.event_log_storage.initialize_concurrency_limit_to_default(pool)
        return super().submit_run(run_id, workspace)

    def handle_new_event(
        self, event: EventLogEntry, *, batch_metadata: DagsterEventBatchMetadata | None = None
    ) -> None:
        """Store an event; of a run's failure, what follows from it before."""
        if event.is_dagster_event and event.get_dagster_event().is_run_failure and self.run_retries_enabled:
            self._decide_on_retry(event)
        super().handle_new_event(event, batch_metadata=batch_metadata)

    def update_backfill(self, partition_backfill: PartitionBackfill) -> None:
        """Store how a backfill stands; that it failed only where none of its runs can change that any more.

        Where one can, what is stored already stays: it is under way, and Dagster looks at it again with its next tick.
        """
        if partition_backfill.status == BulkActionStatus.COMPLETED_FAILED and not self._is_settled(partition_backfill):
            _LOG.info("backfill %s is not failed yet: it is summed up again", partition_backfill.backfill_id)
            return
        super().update_backfill(partition_backfill)

    def _decide_on_retry(self, event: EventLogEntry) -> None:
        """Whoever finds the run failed finds whether it is retried; whoever finds the event finds the run failed."""
        run = self.get_run_by_id(event.run_id)
        if run is None:
            return
        told = event.get_dagster_event()
        data = told.event_specific_data
        reason = data.failure_reason if isinstance(data, JobFailureData) else None
        will_retry = auto_reexecution_should_retry_run(self, run.with_status(DagsterRunStatus.FAILURE), reason)
        self.add_run_tags(run.run_id, {WILL_RETRY_TAG: str(will_retry).lower()})
        # Dagster's retries look at every event once, and pass over a run that is not failed when they do.
        self.run_storage.handle_run_event(run.run_id, told, datetime_from_timestamp(event.timestamp))

    def _is_settled(self, backfill: PartitionBackfill) -> bool:
        """Whether no run of it is to be retried, is under way, or ended after what it made was counted."""
        tags = {BACKFILL_ID_TAG: backfill.backfill_id}
        failed = self.get_runs(RunsFilter(tags=tags | {WILL_RETRY_TAG: "true"}, statuses=[DagsterRunStatus.FAILURE]))
        # In this order: a retry is there before its predecessor is no longer one that waits for it.
        if any(run.is_complete_and_waiting_to_retry for run in failed):
            return False
        if self.get_run_ids(RunsFilter(tags=tags, statuses=NOT_FINISHED_STATUSES), limit=1):
            return False
        data = backfill.asset_backfill_data
        return data is None or data.latest_storage_id is None or not self._has_ended_since(data.latest_storage_id, tags)

    def _has_ended_since(self, storage_id: int, tags: Mapping[str, str]) -> bool:
        """Whether a run with these tags has told of its end after that event."""
        for kind in _ENDS:
            ends = self.fetch_run_status_changes(
                RunStatusChangeRecordsFilter(kind, after_storage_id=storage_id), limit=_MOST_ENDS
            )
            run_ids = [record.run_id for record in ends.records]
            if ends.has_more or (run_ids and self.get_run_ids(RunsFilter(run_ids=run_ids, tags=tags), limit=1)):
                return True
        return False
