"""PostgreSQL as Dagster's storage, for years: batches stored as one, and a server that restarts is waited for.

`pipelines/dagster.postgres.yaml` names `PostgresStorage`. The tables are Dagster's own: `storage: postgres:` with the same
settings opens them as well, and `dagster instance migrate` upgrades them.

Needs the extra `postgres`.
"""

from pipelines.postgres.event_log import PostgresEventLog
from pipelines.postgres.storage import PostgresStorage

__all__ = ["PostgresEventLog", "PostgresStorage"]
