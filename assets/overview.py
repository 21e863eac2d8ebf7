"""Asset `dataset_overview`: a page about the whole dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import dagster as dg

from assets.markdown import md_page, md_picture, md_table
from assets.metadata import Metadata, shown, with_unit
from assets.totals import hours, totals_table
from bagmill.cli.wording import bare_number_text, counted, number_text, size_text
from bagmill.dataset import (
    LATEST,
    Measures,
    Outlier,
    Spread,
    Totals,
    find_outliers,
    find_spreads,
    list_quarantine,
    load_snapshot,
    measures,
    resolve_name,
    total,
    total_by,
)
from bagmill.errors import StorageError
from bagmill.previews import histograms_plot
from resources.datasets import DatasetFolder

if TYPE_CHECKING:
    import pandas as pd

TITLES: Final = {
    "duration": "duration, s",
    "skew": "skew p99, ms",
    "jpeg_psnr": "PSNR, dB",
    "rates": "deviation from the expected rate, %",
    "frame_size": "stored bytes per frame",
    "recording_to_stored": "recording to stored, ratio",
}
"""What is plotted, by the measure's name."""
_MOST_OUTLIERS: Final = 50
"""Shown."""
_GROUPS: Final = ("robot", "task", "profile")
_RULE: Final = (
    "Beyond the median ± 5 median absolute deviations of the episodes of the same profile, on the bad side where a "
    "metric has one."
)


@dg.asset(
    deps=["snapshot"],
    group_name="dataset",
    kinds={"markdown"},
    description=(
        "A page about the latest snapshot: sums per robot, task and profile, histograms of durations, skew, PSNR and "
        "rates, and the episodes that are unlike the others."
    ),
)
def dataset_overview(dataset_folder: DatasetFolder) -> dg.MaterializeResult[None]:
    """Sum up the latest snapshot."""
    dataset = dataset_folder.dataset
    try:
        snapshot_id = resolve_name(dataset, LATEST)
        table = load_snapshot(dataset, snapshot_id)
        num_refused = len(list_quarantine(dataset))
    except StorageError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err
    metadata = describe_dataset(table, snapshot_id=snapshot_id, num_refused=num_refused)
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(snapshot_id))


def describe_dataset(table: pd.DataFrame, *, snapshot_id: str, num_refused: int) -> Metadata:
    """The page, and its numbers as such, which the web UI plots over time.

    Args:
        table: As `load_snapshot` gives it.
        snapshot_id: Its id.
        num_refused: Episodes in quarantine.
    """
    sums, measured = total(table), measures(table)
    outliers, spreads = find_outliers(table, measured=measured), find_spreads(table, measured=measured)
    page = md_page(
        f"# {counted(sums.num_episodes, 'episode')}, {hours(sums):,.1f} hours",
        _sentence(sums, snapshot_id=snapshot_id, num_refused=num_refused),
        *(f"## By {name}\n\n{totals_table((name,), total_by(table, (name,)))}" for name in _GROUPS),
        "## How episodes differ",
        _histograms(measured),
        _spread_table(spreads),
        f"## {counted(len(outliers), 'outlier')}",
        _RULE,
        _outlier_table(outliers) if outliers else None,
    )
    return {"overview": dg.MetadataValue.md(page)} | shown(
        {
            "snapshot_id": snapshot_id,
            "num_episodes": sums.num_episodes,
            "duration_h": round(hours(sums), 4),
            "num_frames": sums.num_frames,
            "raw_bytes": sums.raw_bytes,
            "stored_bytes": sums.stored_bytes,
            "num_refused": num_refused,
            "num_outliers": len(outliers),
        }
        | medians(spreads)
    )


def _sentence(sums: Totals, *, snapshot_id: str, num_refused: int) -> str:
    ratio = f", {sums.raw_bytes / sums.stored_bytes:.2f} to 1" if sums.stored_bytes else ""
    return (
        f"Snapshot `{snapshot_id}`: {counted(sums.num_frames, 'frame')}; {size_text(sums.raw_bytes)} of recordings became "
        f"{size_text(sums.stored_bytes)}{ratio}. {counted(num_refused, 'episode')} in quarantine "
        f"{'is' if num_refused == 1 else 'are'} not among them."
    )


def medians(spreads: Mapping[str, Spread]) -> dict[str, float]:
    """The median of everything that is plotted, by metadata key."""
    return {with_unit(f"median_{name}", spreads[name].unit): spreads[name].median for name in TITLES if name in spreads}


def _histograms(measured: Measures) -> str:
    subjects = {title: measured[name][1] for name, title in TITLES.items() if name in measured}
    return md_picture(histograms_plot(subjects), alt=f"histograms of {', '.join(subjects)}")


def _spread_table(spreads: Mapping[str, Spread]) -> str:
    return md_table(
        ("measure", "unit", "episodes →", "5 % below →", "median →", "5 % above →"),
        [
            (
                name,
                each.unit,
                f"{each.num:,}",
                *(bare_number_text(value, each.unit) for value in (each.low, each.median, each.high)),
            )
            for name, each in spreads.items()
        ],
    )


def _outlier_table(outliers: list[Outlier]) -> str:
    shown_outliers = md_table(
        ("episode", "profile", "measure", "value →", "limit →", "deviations →"),
        [
            (
                each.episode,
                each.profile,
                each.measure,
                number_text(each.value, each.unit),
                number_text(each.limit, each.unit),
                number_text(round(each.num_deviations, 1)),
            )
            for each in outliers[:_MOST_OUTLIERS]
        ],
    )
    num_more = len(outliers) - _MOST_OUTLIERS
    return f"{shown_outliers}\n\n… and {num_more:,} more, less far out" if num_more > 0 else shown_outliers
