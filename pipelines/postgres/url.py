"""The address of the database, as `dagster.yaml` gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dagster_postgres.utils import pg_url_from_config

from bagmill.errors import SettingsError


def url_of(config: Mapping[str, Any]) -> str:
    """The URL, with the driver that Dagster's classes are written for.

    Raises:
        SettingsError: The user or the password has signs in it that end them.

    SQLAlchemy 2.1 takes another driver for `postgresql://`, which is not the one that comes with `dagster-postgres`.
    """
    url = pg_url_from_config(config)
    before = url.partition("?")[0]
    users = (before if "@" in before else url).rpartition("@")[0].partition("://")[2]
    if re.search(r"[@/?#]", users):
        # It would be cut in the wrong place, and its end told as the host's name.
        raise SettingsError(
            "the database's address has a user or a password with one of @ / ? # in it",
            remedy="Write it as %40, %2F, %3F or %23 in BAGMILL_POSTGRES_URL",
        )
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", url)
