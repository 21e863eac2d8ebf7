"""The tables of an empty database, made by one process, on whichever machine, while the others wait."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import sqlalchemy as sa
from dagster_postgres.auth import PgTokenProvider
from dagster_postgres.utils import create_pg_engine

from pipelines.postgres.patience import PATIENCE_S, until_answered

_LOCK: Final = 0x626167_6D696C6C  # "bagmill": a number that nobody else locks
_LAST_MADE: Final = "job_ticks"
"""Of the schedules, which are opened last."""


@contextmanager
def made_by_one(url: str, token_provider: PgTokenProvider | None) -> Iterator[None]:
    """Hold the database's lock while it is opened for the first time; later, nothing is waited for.

    Args:
        url: The database's.
        token_provider: As Dagster's storages have it.

    Raises:
        OperationalError: The server does not answer within the patience there is.
    """
    engine = create_pg_engine(url, token_provider, isolation_level="AUTOCOMMIT", poolclass=sa.pool.NullPool)
    with until_answered(engine.connect, patience_s=PATIENCE_S) as connection:
        if not sa.inspect(connection).has_table(_LAST_MADE):
            # Ends with the connection, should this process.
            connection.execute(sa.select(sa.func.pg_advisory_lock(_LOCK)))
        yield
