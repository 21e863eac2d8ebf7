"""The address of the database, as `dagster.yaml` gives it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from dagster_postgres.utils import pg_url_from_config


def url_of(config: Mapping[str, Any]) -> str:
    """The URL, with the driver that Dagster's classes are written for.

    SQLAlchemy 2.1 takes another driver for `postgresql://`, which is not the one that comes with `dagster-postgres`.
    """
    return re.sub(r"^postgres(ql)?://", "postgresql+psycopg2://", pg_url_from_config(config))
