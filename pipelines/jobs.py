"""What one can run by name."""

from typing import Final

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here

from assets.partitions import register_new
from bagmill.quality import STAGES
from resources.recordings import LandingPlace

INGEST: Final = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(*STAGES),
    description="Recording → timeline → episode → preview for chosen episodes; what is made already is taken as it is.",
)
TAKE_SNAPSHOT: Final = dg.define_asset_job(
    "take_snapshot",
    # Not at the end of every night: it reads all signals there are.
    selection=dg.AssetSelection.assets("snapshot", "dataset_overview", "normalisation"),
    description="The dataset's index, an immutable table of what is published now, a page about it, and its values' statistics.",
)
REPORT_NIGHT: Final = dg.define_asset_job(
    "report_night",
    selection=dg.AssetSelection.assets("snapshot", "dataset_overview", "nightly_report"),
    description="The end of a night: a fresh snapshot, a page about it, and what the night brought.",
)

VERIFY_SAMPLE: Final = dg.define_asset_job(
    "verify_sample",
    selection=dg.AssetSelection.assets("dataset_health"),
    description="Read a part of the dataset back and compare it with its checksums; the next part each time.",
)


@dg.op
def register(context: dg.OpExecutionContext, recordings: dg.ResourceParam[LandingPlace]) -> list[str]:
    """Find recordings and add a partition for each that has none."""
    new = register_new(context.instance, recordings)
    context.add_output_metadata({"num_new": len(new), "new_episodes": new})
    return new


@dg.job
def register_recordings() -> None:
    """Find recordings in the landing place and add an episode for each that has none."""
    register()
