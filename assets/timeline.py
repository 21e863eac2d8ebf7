"""Asset `timeline`: which message feeds which tick."""

from __future__ import annotations

from typing import Final

import dagster as dg

from assets.metadata import Metadata, picture, shown
from bagmill.cli.wording import stamp_text
from bagmill.dataset import Dataset, EpisodeReport
from resources.media import MediaServer

TIMELINE: Final = dg.AssetSpec(
    "timeline",
    deps=["recording"],
    description=(
        "All features on one clock at the profile's rate: which message feeds which tick, and by how much it misses "
        "it. Bad synchronisation ends the line here, before anything is encoded."
    ),
    group_name="dataset",
    kinds={"numpy"},
    skippable=True,
)


def describe_timeline(dataset: Dataset, report: EpisodeReport, _: MediaServer) -> Metadata:
    """The skew of every feature over the episode, and when that was, for people."""
    if report.version is None:
        return {}
    plot = picture(dataset.skew_plot_path(report.episode, report.version), alt="skew plot")
    return plot | shown({"start": stamp_text(report.start_ns)})
