"""Dagster's SQLite event log with its connections kept open and batches of events stored as one.

Connections are kept, the disk is waited for at checkpoints only, and what is handed over together is written out once and
stored in one transaction a database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from dagster import EventLogEntry, StringSource
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from sqlalchemy.pool import QueuePool

from pipelines.event_log.batch import BatchedEvents, Row

_BUSY_TIMEOUT_S: Final = 60
_MOST_OPEN: Final = 16
"""Databases kept open: there is one a run, and the web server looks into many."""


class PooledEventLog(BatchedEvents, SqliteEventLogStorage):
    """As `SqliteEventLogStorage`, in the folder where Dagster keeps it by default.

    A transaction is safe from a crash of the process when it ends, and from a power cut at the next checkpoint.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, sa.Engine] = OrderedDict()
        super().__init__(base_dir, inst_data)

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

    def store_rows(self, events: Sequence[EventLogEntry], rows: Sequence[Row]) -> None:
        """As `BatchedEvents.store_rows`, and in the run's own database before."""
        with self.run_connection(events[0].run_id) as connection:
            connection.execute(SqlEventLogStorageTable.insert(), rows)
        super().store_rows(events, rows)

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


def _wait_for_disk_at_checkpoints(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA synchronous=NORMAL")
