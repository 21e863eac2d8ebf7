"""Asset `preview`: what a person looks at."""

from __future__ import annotations

from typing import Final

import dagster as dg

from assets.metadata import Metadata, link, shown
from bagmill.dataset import Dataset, EpisodeReport
from resources.media import MediaServer
from resources.media_urls import FILM

PREVIEW: Final = dg.AssetSpec(
    "preview",
    deps=["episode"],
    description="A small film of every tick, made from the stored frames and compared with them: what a training run will see.",
    group_name="dataset",
    kinds={"av1"},
    skippable=True,
)


def describe_preview(dataset: Dataset, report: EpisodeReport, media: MediaServer) -> Metadata:
    """A link that plays the film, where there is one."""
    if report.version is None:
        return {}
    of = (report.episode, report.version)
    return shown({"film": link(media.file_url(*of, FILM), path=dataset.preview_path(*of))})
