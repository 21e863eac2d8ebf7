"""Asset `nightly_report`: what a night brought, beside the nights before it."""

import time
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here
import numpy as np
from numpy.typing import NDArray

from assets.markdown import md_page, md_picture, md_table, md_text
from assets.metadata import Metadata, shown
from assets.overview import TITLES, medians
from assets.totals import hours, totals_table
from bagmill.cli.wording import bare_number_text, counted, size_text
from bagmill.dataset import (
    LATEST,
    Dataset,
    EarlierNights,
    Night,
    QuarantineEntry,
    has_current,
    list_quarantine,
    list_snapshot_names,
    load_nights_before,
    resolve_name,
    save_night,
    take_night,
    usual_range,
)
from bagmill.errors import StorageError
from bagmill.previews import Trend, trends_plot
from resources.datasets import DatasetFolder
from resources.nights import Nights

NIGHT_TAG: Final = "bagmill/night"
"""Tag of a run that belongs to a night: its date."""
_MOST_NIGHTS: Final = 30
"""That one is compared with."""
_MOST_REFUSED: Final = 50
"""Shown, each with its reason."""


@dg.asset(
    deps=["snapshot"],
    group_name="dataset",
    kinds={"markdown"},
    description=(
        "What came in since the night before, what was refused and why, and how durations, skew, PSNR, rates and sizes "
        "went over the last nights. The figures are kept in the dataset, one file a night."
    ),
)
def nightly_report(
    context: dg.AssetExecutionContext, dataset_folder: DatasetFolder, nights: Nights
) -> dg.MaterializeResult[None]:
    """Take the night's figures, keep them, and tell them beside those of the nights before."""
    dataset = dataset_folder.dataset
    night_date = context.run.tags.get(NIGHT_TAG) or nights.date_of(datetime.now(UTC))
    runs = context.instance.get_runs(dg.RunsFilter(job_name="ingest", tags={NIGHT_TAG: night_date}))
    try:
        earlier = load_nights_before(dataset, night_date, most=_MOST_NIGHTS)
        refused = list_quarantine(dataset)
        night = take_night(
            dataset,
            date=night_date,
            now_ns=time.time_ns(),
            snapshot_id=_latest(dataset),
            refused=refused,
            earlier=earlier,
        )
        path = save_night(dataset, night)
    except StorageError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err
    metadata = describe_night(night, earlier=earlier, refused=refused, runs=runs)
    return dg.MaterializeResult(metadata=metadata | shown({"path": path}))


def describe_night(
    night: Night, *, earlier: EarlierNights, refused: Sequence[QuarantineEntry], runs: Sequence[dg.DagsterRun]
) -> Metadata:
    """The page, and its numbers as such, which the web UI plots over time.

    Args:
        night: Its figures.
        earlier: The nights before.
        refused: What is in quarantine.
        runs: Of the night, those that ingested.
    """
    newly = sorted(
        (entry for entry in refused if entry.since_ns >= night.since_ns),
        key=lambda entry: (-entry.since_ns, entry.episode),
    )
    num_failed = sum(run.status == dg.DagsterRunStatus.FAILURE for run in runs)
    page = md_page(
        f"# Night of {night.date}",
        _sentence(night),
        _runs_sentence(len(runs), num_failed),
        "## What came in",
        totals_table(("robot", "task"), night.new_by_robot_and_task) if night.new.num_episodes else "Nothing new.",
        "## What was refused",
        _refused_table(newly) if newly else "Nothing that was not refused before.",
        _reasons_table(night) if night.num_refused else None,
        "## How it went over the nights",
        _plot([*earlier.nights, night]),
        _trend_table(night, earlier.nights),
        _problems(earlier.problems),
    )
    metadata: Metadata = {"report": dg.MetadataValue.md(page)}
    numbers: dict[str, object] = {
        "night": night.date,
        "snapshot_id": night.snapshot_id,
        "compared_with": night.compared_with,
        "num_new_episodes": night.new.num_episodes,
        "new_duration_h": round(hours(night.new), 4),
        "new_raw_bytes": night.new.raw_bytes,
        "new_stored_bytes": night.new.stored_bytes,
        "num_newly_refused": night.num_newly_refused,
        "num_refused": night.num_refused,
        "num_episodes": night.dataset.num_episodes,
        "duration_h": round(hours(night.dataset), 4),
        "stored_bytes": night.dataset.stored_bytes,
        "num_runs": len(runs),
        "num_failed_runs": num_failed,
    }
    return metadata | shown(numbers | medians(night.spreads))


def _latest(dataset: Dataset) -> str | None:
    """The latest snapshot; None where no episode can be in one."""
    has_snapshot = LATEST in list_snapshot_names(dataset) and has_current(dataset)
    return resolve_name(dataset, LATEST) if has_snapshot else None


def _sentence(night: Night) -> str:
    new, whole = night.new, night.dataset
    since = f"since the night of {night.compared_with}" if night.compared_with else "so far, this being the first night"
    return (
        f"{counted(new.num_episodes, 'new episode')} {since}: {hours(new):,.2f} hours, "
        f"{size_text(new.raw_bytes)} of recordings that became {size_text(new.stored_bytes)}. "
        f"{counted(night.num_newly_refused, 'recording')} newly refused. "
        f"The dataset now has {counted(whole.num_episodes, 'episode')}, {hours(whole):,.1f} hours, "
        f"{size_text(whole.stored_bytes)}."
    )


def _runs_sentence(num_runs: int, num_failed: int) -> str:
    if not num_runs:
        return "No run was started for the night."
    failed = (
        f"; {num_failed:,} ended as failed, because an episode was refused or the run was cut off" if num_failed else ""
    )
    return f"{counted(num_runs, 'run')} ingested{failed}."


def _refused_table(newly: Sequence[QuarantineEntry]) -> str:
    told = md_table(
        ("episode", "stage", "why", "what to do"),
        [(entry.episode, entry.stage, entry.reason, entry.remedy or "–") for entry in newly[:_MOST_REFUSED]],
    )
    num_more = len(newly) - _MOST_REFUSED
    return f"{told}\n\n… and {num_more:,} more" if num_more > 0 else told


def _reasons_table(night: Night) -> str:
    heading = f"{counted(night.num_refused, 'episode')} in quarantine, those of earlier nights among them:"
    rows = [(reason, f"{num:,}") for reason, num in night.refused_by.items()]
    return f"{heading}\n\n{md_table(('by', 'episodes →'), rows)}"


def _plot(nights: Sequence[Night]) -> str:
    days = np.array([_days(night.date, nights[-1].date) for night in nights])
    trends = [
        Trend("new episodes", _numbers(night.new.num_episodes for night in nights)),
        Trend("newly refused", _numbers(night.num_newly_refused for night in nights)),
    ]
    for name, title in TITLES.items():
        spreads = [night.spreads.get(name) for night in nights]
        if any(spreads):
            trends.append(
                Trend(
                    title,
                    _numbers(each.median if each else np.nan for each in spreads),
                    _numbers(each.low if each else np.nan for each in spreads),
                    _numbers(each.high if each else np.nan for each in spreads),
                )
            )
    return md_picture(trends_plot(days, trends), alt="figures of the last nights")


def _trend_table(night: Night, earlier: Sequence[Night]) -> str | None:
    rows = []
    for name, spread in night.spreads.items():
        before = _numbers(each.spreads[name].median for each in earlier if name in each.spreads)
        usual = usual_range(before)
        is_usual = usual is None or usual[0] <= spread.median <= usual[1]
        rows.append(
            (
                name,
                spread.unit,
                bare_number_text(spread.median, spread.unit),
                bare_number_text(float(np.median(before)) if len(before) else float("nan"), spread.unit),
                "–" if usual is None else " to ".join(bare_number_text(each, spread.unit) for each in usual),
                "" if is_usual else "unusual",
            )
        )
    if not rows:
        return None
    columns = ("median of", "unit", "this night →", f"{counted(len(earlier), 'night')} before →", "usual →", "")
    return md_table(columns, rows)


def _problems(problems: Sequence[str]) -> str | None:
    return "\n".join(["Not among them:", "", *(f"- {md_text(each)}" for each in problems)]) if problems else None


def _days(earlier: str, later: str) -> float:
    return float((date.fromisoformat(earlier) - date.fromisoformat(later)).days)


def _numbers(values: Iterable[float]) -> NDArray[np.float64]:
    return np.array(list(values), np.float64)
