"""What `dagster.yaml` says of the database, as the storages are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dagster_postgres.utils import get_token_provider_from_config

from pipelines.postgres.url import url_of


def settings_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Arguments of a storage's constructor, by their names."""
    return {
        "postgres_url": url_of(config),
        "should_autocreate_tables": bool(config.get("should_autocreate_tables", True)),
        "token_provider": get_token_provider_from_config(config),
    }
