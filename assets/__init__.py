"""What Dagster is told: the assets, their checks, and how an ingested episode is reported.

Belongs here: the translation of what `bagmill` says into Dagster's words. Stays out: everything that is done to a
recording (`bagmill`), where things are (`resources`), what is run when (`pipelines`).
"""

from assets.batch import ingest
from assets.health import dataset_health
from assets.nightly_report import nightly_report
from assets.normalisation import normalisation
from assets.overview import dataset_overview
from assets.partitions import EPISODES, register_new
from assets.quarantine import quarantine
from assets.snapshot import snapshot

__all__ = [
    "EPISODES",
    "dataset_health",
    "dataset_overview",
    "ingest",
    "nightly_report",
    "normalisation",
    "quarantine",
    "register_new",
    "snapshot",
]
