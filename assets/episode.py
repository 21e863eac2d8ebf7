"""Asset `episode`: the published Zarr episode."""

from __future__ import annotations

from typing import Final

import dagster as dg

from assets.metadata import Metadata, picture, shown
from bagmill.dataset import Dataset, EpisodeReport

EPISODE: Final = dg.AssetSpec(
    "episode",
    deps=["timeline"],
    description=(
        "The Zarr episode: images, depth, signals, source stamps and validity per tick. Immutable, and named by what "
        "it was made from: the same recording and profile give the same version."
    ),
    group_name="dataset",
    kinds={"zarr"},
    skippable=True,
)


def describe_episode(dataset: Dataset, report: EpisodeReport) -> Metadata:
    """What the recording became: its contact sheet, its size, and how fast it was made when it was made."""
    if report.version is None:
        return {}
    sheet = picture(dataset.contact_sheet_path(report.episode, report.version), kind="jpeg", alt="contact sheet")
    return ({} if sheet is None else {"contact_sheet": sheet}) | shown(
        {
            "num_frames": report.num_frames,
            "recording_bytes": report.raw_bytes,
            "recording_to_stored_ratio": round(report.raw_bytes / max(1, report.stored_bytes), 2),
            "made_frames_per_s": round(report.frames_per_s, 1),
            "made_recording_mb_per_s": round(report.raw_bytes_per_s / 1e6, 1),
        }
    )
