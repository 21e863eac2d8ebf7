"""Asset `preview`: what a person looks at."""

from __future__ import annotations

from typing import Final

import dagster as dg

from assets.metadata import Metadata, picture
from bagmill.dataset import Dataset, EpisodeReport

PREVIEW: Final = dg.AssetSpec(
    "preview",
    deps=["episode"],
    description="A small video and a contact sheet, made from the stored frames: what a training run will see.",
    group_name="dataset",
    kinds={"av1"},
    skippable=True,
)


def describe_preview(dataset: Dataset, report: EpisodeReport) -> Metadata:
    """The contact sheet."""
    if report.version is None:
        return {}
    sheet = picture(dataset.contact_sheet_path(report.episode, report.version), kind="jpeg", alt="contact sheet")
    return {} if sheet is None else {"contact_sheet": sheet}
