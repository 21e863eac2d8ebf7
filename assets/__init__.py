"""What Dagster is told: the assets, their checks, and how an ingested episode is reported.

Belongs here: the translation of what `bagmill` says into Dagster's words. Stays out: everything that is done to a
recording (`bagmill`), where things are (`resources`), what is run when (`pipelines`).
"""

from assets.batch import ingest
from assets.partitions import EPISODES, find_new, register_new
from assets.snapshot import snapshot

__all__ = ["EPISODES", "find_new", "ingest", "register_new", "snapshot"]
