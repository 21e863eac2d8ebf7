"""Connections that outlive a restart of the server."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import Any, Final, ParamSpec, TypeVar

import sqlalchemy as sa
from dagster_postgres.auth import PgTokenProvider
from dagster_postgres.utils import create_pg_engine
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.pool import QueuePool

from bagmill.addresses import without_secrets

PATIENCE_S: Final = 120
"""How long a server that does not answer is waited for: a restart takes seconds, a fail-over a minute."""
WEB_PATIENCE_S: Final = 10
"""The same in the web server, where a person waits."""
_FIRST_PAUSE_S: Final = 0.2
_LONGEST_PAUSE_S: Final = 5.0
_MOST_OPEN: Final = 20
_LOG: Final = logging.getLogger(__name__)

_P = ParamSpec("_P")
_R = TypeVar("_R")


class PatientConnections:
    """In front of one of Dagster's storages: connections are kept, tried before they are used, and waited for."""

    _engine: sa.Engine
    _token_provider: PgTokenProvider | None
    postgres_url: str
    patience_s: float = PATIENCE_S
    """How long to wait for the server."""

    def keep_connections(self) -> None:
        """Replace the engine of Dagster's class, which opens a connection for every statement."""
        self._engine.dispose()
        self._engine = self._patient_engine(max_overflow=_MOST_OPEN - 1)

    def optimize_for_webserver(self, statement_timeout: int, pool_recycle: int, max_overflow: int) -> None:
        """As Dagster's: no statement may take longer than so many milliseconds."""
        self._engine.dispose()
        self._engine = self._patient_engine(pool_recycle=pool_recycle, max_overflow=max_overflow)
        self.patience_s = WEB_PATIENCE_S

        @sa.event.listens_for(self._engine, "connect")
        def set_timeout(connection: Any, _record: object) -> None:
            with connection.cursor() as cursor:
                cursor.execute(f"SET statement_timeout = {int(statement_timeout)}")

    @contextmanager
    def open_connection(self) -> Iterator[sa.Connection]:
        """A connection to a server that may have to start first.

        Raises:
            OperationalError: It has not within the patience there is.
        """
        connection = until_answered(self._engine.connect, patience_s=self.patience_s)
        try:
            yield connection
        finally:
            connection.close()

    def _patient_engine(self, **settings: Any) -> sa.Engine:
        return create_pg_engine(
            self.postgres_url,
            self._token_provider,
            isolation_level="AUTOCOMMIT",
            poolclass=QueuePool,
            pool_size=1,
            pool_pre_ping=True,
            **settings,
        )


def patient(method: Callable[_P, _R]) -> Callable[_P, _R]:
    """The method, once more where the connection was lost in the middle; it has to be harmless twice."""

    @wraps(method)
    def again_where_lost(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        storage = args[0]
        assert isinstance(storage, PatientConnections)
        return until_answered(lambda: method(*args, **kwargs), patience_s=storage.patience_s)

    return again_where_lost


def until_answered(attempt: Callable[[], _R], *, patience_s: float) -> _R:
    """Try, again and again as long as it is the connection that fails.

    Raises:
        DBAPIError: Something else failed, or the patience is at its end.
    """
    deadline, pause_s = time.monotonic() + patience_s, _FIRST_PAUSE_S
    while True:
        try:
            return attempt()
        except DBAPIError as err:
            if not _is_lost(err) or time.monotonic() > deadline:
                raise
            _LOG.warning("the database does not answer, trying again: %s", without_secrets(str(err.orig).strip()))
        time.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)


def _is_lost(err: DBAPIError) -> bool:
    """Of a connection, not of what was asked: it broke, or could not be made."""
    # A connection that could not be made has no SQLSTATE; a server that is on its way up or down says so with 57P0x.
    code = getattr(err.orig, "pgcode", None)
    is_unreachable = isinstance(err, OperationalError) and (code is None or code.startswith(("57P0", "08")))
    return err.connection_invalidated or is_unreachable
