"""The three storages of Dagster in one PostgreSQL database: what `dagster.yaml` names."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from dagster._config.config_schema import UserConfigSchema
from dagster._core.events import DagsterEvent
from dagster._core.scheduler.instigation import InstigatorState, InstigatorTick
from dagster._core.storage.base_storage import DagsterStorage
from dagster._core.storage.config import pg_config
from dagster._core.storage.event_log import EventLogStorage
from dagster._core.storage.runs import RunStorage, SqlRunStorage
from dagster._core.storage.schedules import ScheduleStorage, SqlScheduleStorage
from dagster._serdes import ConfigurableClass, ConfigurableClassData
from dagster_postgres.auth import PgTokenProvider
from dagster_postgres.run_storage import PostgresRunStorage
from dagster_postgres.schedule_storage import PostgresScheduleStorage

from pipelines.postgres.event_log import PostgresEventLog
from pipelines.postgres.first_start import made_by_one
from pipelines.postgres.patience import PatientConnections, patient
from pipelines.postgres.settings import settings_of


class PatientRunStorage(PatientConnections, PostgresRunStorage):
    """As `PostgresRunStorage`; a restart of the server does not end a run that was about to say how it stands."""

    def connect(self) -> AbstractContextManager[sa.Connection]:
        """A connection, waited for."""
        return self.open_connection()

    fetchall = patient(SqlRunStorage.fetchall)
    fetchone = patient(SqlRunStorage.fetchone)

    @patient
    def handle_run_event(self, run_id: str, event: DagsterEvent, update_timestamp: datetime | None = None) -> None:
        """Note a run's status; again, if need be."""
        super().handle_run_event(run_id, event, update_timestamp)


class PatientScheduleStorage(PatientConnections, PostgresScheduleStorage):
    """As `PostgresScheduleStorage`."""

    def connect(self, run_id: str | None = None) -> AbstractContextManager[sa.Connection]:  # noqa: ARG002
        """A connection, waited for."""
        return self.open_connection()

    execute = patient(SqlScheduleStorage.execute)

    @patient
    def update_tick(self, tick: InstigatorTick) -> InstigatorTick:
        """Note what became of a tick; again, if need be."""
        return super().update_tick(tick)

    @patient
    def update_instigator_state(self, state: InstigatorState) -> InstigatorState:
        """Note a sensor's cursor; again, if need be."""
        return super().update_instigator_state(state)


class PostgresStorage(DagsterStorage, ConfigurableClass):
    """Runs, events and schedules, with the same settings as Dagster's `storage: postgres:`."""

    def __init__(
        self,
        postgres_url: str,
        should_autocreate_tables: bool = True,
        inst_data: ConfigurableClassData | None = None,
        token_provider: PgTokenProvider | None = None,
    ) -> None:
        settings: dict[str, Any] = {
            "postgres_url": postgres_url,
            "should_autocreate_tables": should_autocreate_tables,
            "token_provider": token_provider,
        }
        self._inst_data: Final = inst_data
        with made_by_one(postgres_url, token_provider):
            self._run_storage: Final = PatientRunStorage(**settings)
            self._event_log_storage: Final = PostgresEventLog(**settings)
            self._schedule_storage: Final = PatientScheduleStorage(**settings)
        super().__init__()  # type: ignore[no-untyped-call]

    @property
    def inst_data(self) -> ConfigurableClassData | None:
        """What it was made from."""
        return self._inst_data

    @classmethod
    def config_type(cls) -> UserConfigSchema:
        """The settings of Dagster's own class."""
        return pg_config()

    @classmethod
    def from_config_value(
        cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, Any]
    ) -> PostgresStorage:
        """Made by Dagster when it opens the instance."""
        return cls(**settings_of(config_value), inst_data=inst_data)

    @property
    def event_log_storage(self) -> EventLogStorage:
        """Events."""
        return self._event_log_storage

    @property
    def run_storage(self) -> RunStorage:
        """Runs, backfills, cursors of daemons."""
        return self._run_storage

    @property
    def schedule_storage(self) -> ScheduleStorage:
        """Sensors and schedules."""
        return self._schedule_storage

    @property
    def event_storage_data(self) -> ConfigurableClassData | None:
        """Where the events alone are opened from."""
        return self._data_of("pipelines.postgres.event_log", "PostgresEventLog")

    @property
    def run_storage_data(self) -> ConfigurableClassData | None:
        """Where the runs alone are opened from."""
        return self._data_of("dagster_postgres", "PostgresRunStorage")

    @property
    def schedule_storage_data(self) -> ConfigurableClassData | None:
        """Where the schedules alone are opened from."""
        return self._data_of("dagster_postgres", "PostgresScheduleStorage")

    def _data_of(self, module: str, name: str) -> ConfigurableClassData | None:
        return None if self._inst_data is None else ConfigurableClassData(module, name, self._inst_data.config_yaml)
