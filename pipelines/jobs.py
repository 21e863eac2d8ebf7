"""What one can run by name."""

from typing import Final

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here

from assets.partitions import register_new
from bagmill.quality import STAGES
from resources.recordings import RecordingsFolder

INGEST: Final = dg.define_asset_job(
    "ingest",
    selection=dg.AssetSelection.assets(*STAGES),
    description="Recording → timeline → episode → preview for chosen episodes; what is made already is taken as it is.",
)
TAKE_SNAPSHOT: Final = dg.define_asset_job(
    "take_snapshot",
    selection=dg.AssetSelection.assets("snapshot"),
    description="The dataset's index: an immutable table of what is published now.",
)


@dg.op
def register(context: dg.OpExecutionContext, recordings: RecordingsFolder) -> list[str]:
    """Find recordings and add a partition for each that has none."""
    new = register_new(context.instance, recordings)
    context.add_output_metadata({"num_new": len(new), "new_episodes": new})
    return new


@dg.job
def register_recordings() -> None:
    """Find recordings in the recordings folder and add an episode for each that has none."""
    register()
