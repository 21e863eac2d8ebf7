"""Dagster's SQLite event log with its connections kept open and batches of events stored as one: where Dagster's cost is.

An ingested episode is some 25 events, and Dagster's own class opens and closes a database two or three times for each, and
writes each out as text as often. Here connections are kept, the disk is waited for at checkpoints only, and what is handed
over together is written out once and stored in one transaction a database. The files are the same: the class can be
taken out of `dagster.yaml`, or put back, at any time.
"""

from __future__ import annotations

import os
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from dagster import DagsterEventType, EventLogEntry, StringSource
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable, SqlEventLogStorageTable
from dagster._record import copy
from dagster._serdes import ConfigurableClassData, serialize_value
from sqlalchemy.pool import QueuePool

_BATCHED: Final = frozenset(
    {
        DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        DagsterEventType.ASSET_MATERIALIZATION,
        DagsterEventType.ASSET_CHECK_EVALUATION,
    }
)
_MOST_AT_ONCE: Final = 1000
"""Events that Dagster may hand over together."""
_BUSY_TIMEOUT_S: Final = 60
_MOST_OPEN: Final = 16
"""Databases kept open: there is one a run, and the web server looks into many."""


_Stored = tuple[EventLogEntry, int, dict[str, Any]]
"""An event, its id in the index, and its row there."""

_INSERT_EVENTS: Final = SqlEventLogStorageTable.insert().returning(
    SqlEventLogStorageTable.c.id, sort_by_parameter_order=True
)
_UPDATE_EXECUTION: Final = AssetCheckExecutionsTable.update().where(
    *(
        AssetCheckExecutionsTable.c[name].is_not_distinct_from(sa.bindparam(f"its_{name}"))
        for name in ("asset_key", "check_name", "run_id", "partition")
    )
)


class PooledEventLog(SqliteEventLogStorage):
    """As `SqliteEventLogStorage`, in the folder where Dagster keeps it by default.

    A transaction is safe from a crash of the process when it ends, and from a power cut at the next checkpoint.
    """

    stores_checks_in_batches: Final = True
    """Of Dagster's own classes, some refuse check evaluations in `store_event_batch`."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, sa.Engine] = OrderedDict()
        self._known_tables: set[str] = set()
        self._has_index_columns: bool | None = None
        super().__init__(base_dir, inst_data)
        # Dagster hands events over together, a planned run's for one, only where the environment says how many.
        os.environ.setdefault("DAGSTER_EVENT_BATCH_SIZE", str(_MOST_AT_ONCE))

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        """The instance's folder, as `dagster.yaml` gives it."""
        return {"home": StringSource}

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PooledEventLog:
        """Made by Dagster when it opens the instance."""
        return cls(str(Path(config_value["home"]) / "history" / "runs"), inst_data)

    def has_table(self, table_name: str) -> bool:
        """As the parent class, which looks into the database again for every event."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def store_event_batch(self, events: Sequence[EventLogEntry]) -> None:
        """Store a run's events about assets and checks, all of them or none in either database.

        What ends up there is what `store_event` makes of them one by one, in the same order.
        """
        kinds = {event.dagster_event_type for event in events}
        if not kinds <= _BATCHED or len({event.run_id for event in events}) != 1:
            super().store_event_batch(events)
            return
        rows = [self._event_to_row(event) for event in events]
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
        with self.index_transaction() as connection:
            ids = list(connection.execute(_INSERT_EVENTS, rows).scalars())
            stored = list(zip(events, ids, rows, strict=True))
            self._store_about_assets(connection, [each for each in stored if each[2]["asset_key"] is not None])
            for event, id_, row in stored:
                if event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION:
                    _store_evaluation(connection, event, id_, row)
                elif event.dagster_event_type == DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED:
                    self._store_planned_check(connection, event, id_)

    def _store_about_assets(self, connection: sa.Connection, stored: list[_Stored]) -> None:
        if not stored:
            return
        self._store_asset_event_tags(connection, [event for event, _, _ in stored], [id_ for _, id_, _ in stored])
        # The table of assets holds the latest of each only.
        for event, id_ in {row["asset_key"]: (event, id_) for event, id_, row in stored}.values():
            self._store_asset_event(connection, event, id_)

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

    def wipe(self) -> None:
        """Delete everything."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Let go of every file."""
        self._close()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[sa.Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> sa.Engine:
        if shard not in self._engines:
            # One connection each: the lock lets one thread in at a time.
            engine = sa.create_engine(
                self.conn_string_for_shard(shard),
                poolclass=QueuePool,
                pool_size=1,
                connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False},
            )
            sa.event.listen(engine, "connect", _wait_for_disk_at_checkpoints)
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            self._engines[shard] = engine
            if len(self._engines) > _MOST_OPEN:
                self._engines.popitem(last=False)[1].dispose()
        self._engines.move_to_end(shard)
        return self._engines[shard]

    def _close(self) -> None:
        with self._db_lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _store_evaluation(connection: sa.Connection, event: EventLogEntry, id_: int, row: Mapping[str, Any]) -> None:
    key, values = _execution_key(event), _execution(event, id_, row)
    # Where Dagster planned it, there is a row for it already.
    planned = connection.execute(_UPDATE_EXECUTION, {f"its_{name}": key[name] for name in key} | values)
    if planned.rowcount == 0:
        connection.execute(AssetCheckExecutionsTable.insert(), key | values)


def _execution_key(event: EventLogEntry) -> dict[str, Any]:
    """What names one execution of a check in its table."""
    evaluation = event.get_dagster_event().asset_check_evaluation_data
    return {
        "asset_key": evaluation.asset_key.to_string(),
        "check_name": evaluation.check_name,
        "run_id": event.run_id,
        "partition": evaluation.partition,
    }


def _execution(event: EventLogEntry, id_: int, row: Mapping[str, Any]) -> dict[str, Any]:
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


def _wait_for_disk_at_checkpoints(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
