"""Asset `recording`: what a scan of the recording found."""

from __future__ import annotations

from typing import Final

import dagster as dg

from assets.metadata import Metadata, picture
from bagmill.dataset import Dataset, EpisodeReport
from resources.media import MediaServer

RECORDING: Final = dg.AssetSpec(
    "recording",
    description=(
        "The source, read once from first byte to last: what it holds, whether it is whole, how fast every channel "
        "ran. The file itself is never changed."
    ),
    group_name="dataset",
    kinds={"mcap", "rosbag"},
    skippable=True,
)


def describe_recording(dataset: Dataset, report: EpisodeReport, _: MediaServer) -> Metadata:
    """How fast every channel ran over the recording, for people."""
    if report.version is None:
        return {}
    return picture(dataset.rates_plot_path(report.episode, report.version), alt="rates plot")
