"""Storing many events as one: what an event log of either database has in common."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from dagster import DagsterEventType, EventLogEntry
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqlEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._record import copy
from dagster._serdes import serialize_value

_BATCHED: Final = frozenset(
    {
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_OBSERVATION,
        DagsterEventType.ASSET_CHECK_EVALUATION,
    }
)
_MOST_AT_ONCE: Final = 1000
"""Events that Dagster may hand over together."""
_MOST_LOOKED_UP: Final = 500
"""Check executions in one question to the database, which bounds how many values a question may name."""

Row = dict[str, Any]
_Stored = tuple[EventLogEntry, int, Row]
"""An event, its id in the index, and its row there."""
_Key = tuple[str, str, str | None]
"""What names an execution of a check within a run: asset, check, partition."""

_INSERT_EVENTS: Final = SqlEventLogStorageTable.insert().returning(
    SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
)
_EXECUTIONS: Final = AssetCheckExecutionsTable.c
_UPDATE_EXECUTION: Final = AssetCheckExecutionsTable.update().where(_EXECUTIONS.id == sa.bindparam("its_id"))


class BatchedEvents(SqlEventLogStorage):
    """Stores a run's events about assets and checks together; to be put in front of one of Dagster's own classes."""

    stores_batches: Final = True
    """Of Dagster's own classes, one refuses check evaluations in `store_event_batch`, and takes batches of one asset only."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        self._known_tables: set[str] = set()
        self._has_index_columns: bool | None = None
        super().__init__(*args, **kwargs)  # type: ignore[no-untyped-call]
        # Dagster hands events over together, a planned run's for one, only where the environment says how many.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(_MOST_AT_ONCE))

    def has_table(self, table_name: str) -> bool:
        """As the parent class, which looks into the database again for every event."""
        if table_name not in self._known_tables and super().has_table(table_name):  # type: ignore[safe-super]
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store a run's events about assets and checks, all of them or none in any one database.

        What ends up there is what `store_event` makes of them one by one, in the same order.
        """
        if is_batchable(events):
            self.store_rows(events, [self._event_to_row(event) for event in events])
        else:
            super().store_event_batch(events)

    def store_rows(self, events: Sequence[EventLogEntry], rows: Sequence[Row]) -> None:
        """Store a run's events about assets and checks, of which these are the rows."""
        with self.index_transaction() as connection:
            ids = list(connection.execute(_INSERT_EVENTS, rows).scalars())
            stored = list(zip(events, ids, rows, strict=True))
            for event, id_, _ in stored:
                if event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
                    self._store_planned_check(connection, event, id_)
            _store_evaluations(connection, stored)
            # Last, because all runs write to the same few rows of that table: who comes later waits the shorter.
            self._store_about_assets(connection, [each for each in stored if each[2]["asset_key"] is not None])

    def _store_about_assets(self, connection: sa.Connection, stored: list[_Stored]) -> None:
        if not stored:
            return
        self._store_asset_event_tags(connection, [event for event, _, _ in stored], [id_ for _, id_, _ in stored])
        # The table of assets holds the latest of each only; in one order, so that no two runs wait for each other.
        latest = {row["asset_key"]: (event, id_) for event, id_, row in stored}
        for asset in sorted(latest):
            self._store_asset_event(connection, *latest[asset])

    def _store_planned_check(self, connection: sa.Connection, event: EventLogEntry, id_: int) -> None:
        """Unlike in the parent class, the row of each partition does not hold the list of all: that is n² of text."""
        planned = event.get_dagster_event().asset_check_planned_data
        alone = event.get_dagster_event()._replace(event_specific_data=copy(planned, partitions_subset=None))
        row = {
            "asset_key": planned.asset_key.to_string(),
            "check_name": planned.check_name,
            "run_id": event.run_id,
            "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
            "evaluation_event": serialize_value(event._replace(dagster_event=alone)),
            "evaluation_event_timestamp": datetime.fromtimestamp(event.timestamp, UTC).replace(tzinfo=None),
            "evaluation_event_storage_id": id_,
        }
        subset = planned.partitions_subset
        partitions = [None] if subset is None else subset.get_partition_keys()
        connection.execute(AssetCheckExecutionsTable.insert(), [row | {"partition": each} for each in partitions])

    def _has_asset_key_index_cols_on_connection(self, conn: sa.Connection) -> bool:
        """As the parent class, which looks into the database again for every event."""
        if self._has_index_columns is None:
            self._has_index_columns = super()._has_asset_key_index_cols_on_connection(conn)
        return self._has_index_columns


def is_batchable(events: Sequence[EventLogEntry]) -> bool:
    """Events of one run, about assets and checks."""
    return {event.dagster_event_type for event in events} <= _BATCHED and len({event.run_id for event in events}) == 1


def _store_evaluations(connection: sa.Connection, stored: Sequence[_Stored]) -> None:
    evaluations = {
        _key(event): _execution(event, id_, row)
        for event, id_, row in stored
        if event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION
    }
    if not evaluations:
        return
    run_id = stored[0][0].run_id
    # Where Dagster planned it, there is a row for it already.
    planned = _find_executions(connection, list(evaluations), run_id=run_id)
    updates = [{"its_id": planned[key]} | evaluations[key] for key in evaluations if key in planned]
    inserts = [
        {"asset_key": key[0], "check_name": key[1], "partition": key[2], "run_id": run_id} | evaluations[key]
        for key in evaluations
        if key not in planned
    ]
    if updates:
        connection.execute(_UPDATE_EXECUTION, updates)
    if inserts:
        connection.execute(AssetCheckExecutionsTable.insert(), inserts)


def _find_executions(connection: sa.Connection, keys: Sequence[_Key], *, run_id: str) -> dict[_Key, int]:
    found: dict[_Key, int] = {}
    for first in range(0, len(keys), _MOST_LOOKED_UP):
        some = keys[first : first + _MOST_LOOKED_UP]
        partitions = sorted({partition for _, _, partition in some if partition is not None})
        of_partition = _EXECUTIONS.partition.in_(partitions)
        # All four columns of the table's index: it grows by thousands of rows a run.
        query = sa.select(_EXECUTIONS.id, _EXECUTIONS.asset_key, _EXECUTIONS.check_name, _EXECUTIONS.partition).where(
            _EXECUTIONS.asset_key.in_(sorted({asset for asset, _, _ in some})),
            _EXECUTIONS.check_name.in_(sorted({check for _, check, _ in some})),
            _EXECUTIONS.run_id == run_id,
            of_partition | _EXECUTIONS.partition.is_(None) if any(key[2] is None for key in some) else of_partition,
        )
        found |= {(asset, check, partition): id_ for id_, asset, check, partition in connection.execute(query)}
    return found


def _key(event: EventLogEntry) -> _Key:
    evaluation = event.get_dagster_event().asset_check_evaluation_data
    return evaluation.asset_key.to_string(), evaluation.check_name, evaluation.partition


def _execution(event: EventLogEntry, id_: int, row: Mapping[str, Any]) -> Row:
    """What a check evaluation says in its row of that table."""
    evaluation = event.get_dagster_event().asset_check_evaluation_data
    status = AssetCheckExecutionRecordStatus.SUCCEEDED if evaluation.passed else AssetCheckExecutionRecordStatus.FAILED
    target = evaluation.target_materialization_data
    return {
        "execution_status": status.value,
        "evaluation_event": row["event"],
        "evaluation_event_timestamp": row["timestamp"],
        "evaluation_event_storage_id": id_,
        "materialization_event_storage_id": None if target is None else target.storage_id,
    }
