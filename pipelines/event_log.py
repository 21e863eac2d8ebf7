"""Dagster's SQLite event log with its connections kept open: where most of Dagster's cost per episode is.

An ingested episode is some 25 events, and Dagster's own class opens and closes a database two or three times for each. With
connections kept, and the disk waited for at checkpoints only, an event costs about a fifth of that. The
files are the same: the class can be taken out of `dagster.yaml`, or put back, at any time.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from dagster import StringSource
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

_BUSY_TIMEOUT_S: Final = 60
_MOST_OPEN: Final = 16
"""Databases kept open: there is one a run, and the web server looks into many."""


class PooledEventLog(SqliteEventLogStorage):
    """As `SqliteEventLogStorage`, in the folder where Dagster keeps it by default.

    A transaction is safe from a crash of the process when it ends, and from a power cut at the next checkpoint.
    """

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines: OrderedDict[str, Engine] = OrderedDict()
        self._known_tables: set[str] = set()
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

    def has_table(self, table_name: str) -> bool:
        """As the parent class, which looks into the database again for every event."""
        if table_name not in self._known_tables and super().has_table(table_name):
            self._known_tables.add(table_name)
        return table_name in self._known_tables

    def wipe(self) -> None:
        """Delete everything."""
        self._close()
        super().wipe()

    def dispose(self) -> None:
        """Let go of every file."""
        self._close()
        super().dispose()

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock, self._engine(shard).connect() as connection, connection.begin():
            yield connection

    def _engine(self, shard: str) -> Engine:
        if shard not in self._engines:
            # One connection each: the lock lets one thread in at a time.
            engine = create_engine(
                self.conn_string_for_shard(shard),
                poolclass=QueuePool,
                pool_size=1,
                connect_args={"timeout": _BUSY_TIMEOUT_S, "check_same_thread": False},
            )
            event.listen(engine, "connect", _wait_for_disk_at_checkpoints)
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
