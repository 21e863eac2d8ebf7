"""Dagster's PostgreSQL event log with batches of events stored as one, and nothing lost when the server restarts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

import sqlalchemy as sa
from dagster import EventLogEntry
from dagster._core.storage.event_log.schema import SqlEventLogStorageTable
from dagster._serdes import ConfigurableClassData
from dagster_postgres.auth import PgTokenProvider
from dagster_postgres.event_log import PostgresEventLogStorage

from pipelines.event_log.batch import BatchedEvents, Row, is_batchable
from pipelines.postgres.patience import PatientConnections, patient, until_answered
from pipelines.postgres.settings import settings_of


class PostgresEventLog(PatientConnections, BatchedEvents, PostgresEventLogStorage):
    """As `PostgresEventLogStorage`.

    A batch is one transaction. Where the server went away before it said that it had ended, whether it did is looked up
    when the server is back.
    """

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: PgTokenProvider | None = None,
    ) -> None:
        super().__init__(postgres_url, should_autocreate_tables, inst_data, token_provider)
        self.keep_connections()

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PostgresEventLog:
        """Made by Dagster where this class alone is named."""
        return cls(**settings_of(config_value), inst_data=inst_data)

    def store_event(self, event: EventLogEntry) -> None:
        """Store an event."""
        if is_batchable([event]):
            self.store_event_batch([event])
        elif event.dagster_event is not None and event.dagster_event.asset_key:
            super().store_event(event)
        else:
            row = self._event_to_row(event)
            self._store_once(row, lambda: self._insert(row))

    def store_rows(self, events: Sequence[EventLogEntry], rows: Sequence[Row]) -> None:
        """As `BatchedEvents.store_rows`, once, whatever the server does meanwhile."""
        store = super().store_rows
        self._store_once(rows[-1], lambda: store(events, rows))

    @patient
    def get_asset_event_summary_records(self, *args: Any, **kwargs: Any) -> Any:
        """As the parent class: a run asks for what it has just stored."""
        return super().get_asset_event_summary_records(*args, **kwargs)

    @patient
    def fetch_materializations(self, *args: Any, **kwargs: Any) -> Any:
        """As the parent class: a run asks for what earlier ones stored."""
        return super().fetch_materializations(*args, **kwargs)

    def dispose(self) -> None:
        """Let go of every connection."""
        self._engine.dispose()
        super().dispose()

    def _connect(self) -> AbstractContextManager[sa.Connection]:
        return self.open_connection()

    def _insert(self, row: Row) -> None:
        with self._connect() as connection:
            connection.execute(SqlEventLogStorageTable.insert(), row)

    def _store_once(self, last: Row, store: Callable[[], None]) -> None:
        """Store what is all there when its last row is."""
        is_lost = False

        def attempt() -> None:
            nonlocal is_lost
            if not (is_lost and self._holds(last)):
                is_lost = True
                store()

        until_answered(attempt, patience_s=self.patience_s)

    def _holds(self, row: Row) -> bool:
        event = SqlEventLogStorageTable.c
        query = sa.select(event.id).where(event.run_id == row["run_id"], event.event == row["event"]).limit(1)
        with self._connect() as connection:
            return connection.execute(query).first() is not None
