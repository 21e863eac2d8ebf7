"""The event log, where Dagster's cost is: batches of events are stored as one, in SQLite and in PostgreSQL.

An ingested episode is some 25 events. Dagster's own classes store them one by one, each in a transaction or two, and its
class for SQLite opens and closes a database for every one of them. What the tables hold in the end is the same: either class
can be taken out of `dagster.yaml`, or put back, at any time.

Belongs here: how events are stored. Stays out: what is told (`assets.telling`), the other storages (`pipelines.postgres`).
"""

from pipelines.event_log.sqlite import PooledEventLog

# `pipelines.event_log.postgres` is named by dagster.yaml where it is wanted: its driver is an optional package.
__all__ = ["PooledEventLog"]
