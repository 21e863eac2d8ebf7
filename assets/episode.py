"""Asset `episode`: the published Zarr episode."""

from __future__ import annotations

from typing import Final

import dagster as dg

from assets.metadata import Metadata, link, picture, shown
from bagmill.dataset import Dataset, EpisodeReport
from resources.media import MediaServer
from resources.media_urls import CONTACT_SHEET, DEPTH

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


def describe_episode(dataset: Dataset, report: EpisodeReport, media: MediaServer) -> Metadata:
    """What the recording became: its contact sheet, its size, and how fast it was made when it was made."""
    if report.version is None:
        return {}
    of = (report.episode, report.version)
    sheet = picture(dataset.small_sheet_path(*of), alt="contact sheet")
    return sheet | shown(
        {
            "large_contact_sheet": link(media.file_url(*of, CONTACT_SHEET), path=dataset.contact_sheet_path(*of)),
            "depth_picture": link(media.file_url(*of, DEPTH), path=dataset.depth_picture_path(*of)),
            "num_frames": report.num_frames,
            "recording_bytes": report.raw_bytes,
            "recording_to_stored_ratio": round(report.raw_bytes / max(1, report.stored_bytes), 2),
            "made_frames_per_s": round(report.frames_per_s, 1),
            "made_recording_mb_per_s": round(report.raw_bytes_per_s / 1e6, 1),
        }
    )
