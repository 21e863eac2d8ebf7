"""Dagster's own web application: all that is used of how Dagster makes it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from dagster import DagsterInstance
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._utils.log import configure_loggers
from dagster_webserver.app import create_app_from_workspace_process_context
from dagster_webserver.version import __version__
from starlette.types import ASGIApp

_STATEMENT_TIMEOUT_MS: Final = 15_000
_RECYCLE_S: Final = 3600
_MOST_CONNECTIONS: Final = 20
_POLL_MS: Final = 2000
"""As `dagster-webserver` has them when it is told nothing."""


@contextmanager
def dagster_app(workspace: Path, *, is_read_only: bool) -> Iterator[ASGIApp]:
    """The application over the instance of `DAGSTER_HOME`.

    Args:
        workspace: A `workspace.yaml`: where the definitions are.
        is_read_only: Dagster, too, refuses what changes something.
    """
    configure_loggers()
    with DagsterInstance.get() as instance:
        instance.optimize_for_webserver(_STATEMENT_TIMEOUT_MS, _RECYCLE_S, _MOST_CONNECTIONS)
        with WorkspaceProcessContext(
            instance,
            version=__version__,
            read_only=is_read_only,
            workspace_load_target=WorkspaceFileTarget([str(workspace)]),
        ) as context:
            yield create_app_from_workspace_process_context(context, "", _POLL_MS)
