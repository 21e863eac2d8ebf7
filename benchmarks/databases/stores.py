"""The databases that are compared, as Dagster's event log."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from uuid import uuid4

import sqlalchemy as sa
from dagster._core.storage.event_log import SqlEventLogStorage, SqliteEventLogStorage
from dagster_postgres.event_log import PostgresEventLogStorage

from pipelines.event_log import PooledEventLog
from pipelines.postgres import PostgresEventLog
from pipelines.postgres.url import url_of

STORES: Final = {
    "SQLite, Dagster's class": SqliteEventLogStorage,
    "SQLite": PooledEventLog,
    "PostgreSQL, Dagster's class": PostgresEventLogStorage,
    "PostgreSQL": PostgresEventLog,
}
OURS: Final = ("SQLite", "PostgreSQL")


def make_place(store: str, *, folder: Path, server_url: str) -> str:
    """Where a store keeps a new, empty database: a folder, or a URL.

    Args:
        store: Of `STORES`.
        folder: For those that keep files.
        server_url: Of a database on the server, as a role that may create others.
    """
    name = f"bagmill_{uuid4().hex}"
    if store.startswith("SQLite"):
        place = folder / name
        place.mkdir()
        return str(place)
    _execute(server_url, f'CREATE DATABASE "{name}"')
    return f"{server_url.rpartition('/')[0]}/{name}"


def open_log(store: str, place: str) -> SqlEventLogStorage:
    """The event log over a place; it makes its tables if need be."""
    log: SqlEventLogStorage = STORES[store](place if store.startswith("SQLite") else url_of({"postgres_url": place}))
    return log


def size_bytes(store: str, place: str) -> int:
    """What a place takes on the disk, with its indexes."""
    if store.startswith("SQLite"):
        return sum(file.stat().st_size for file in Path(place).rglob("*") if file.is_file())
    engine = sa.create_engine(url_of({"postgres_url": place}))
    with engine.connect() as connection:
        return int(connection.scalar(sa.text("SELECT pg_database_size(current_database())")) or 0)


def remove(store: str, place: str, *, server_url: str) -> None:
    """Delete a server's database; files go with their folder."""
    if store.startswith("PostgreSQL"):
        _execute(server_url, f'DROP DATABASE "{place.rpartition("/")[2]}" WITH (FORCE)')


def _execute(url: str, statement: str) -> None:
    engine = sa.create_engine(url_of({"postgres_url": url}), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(sa.text(statement))
    engine.dispose()
