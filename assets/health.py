"""Asset `dataset_health`: whether what lies on the disk is still what was written, a part of it each time."""

from collections.abc import Mapping
from typing import Any, Final

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here
from pydantic import Field

from assets.metadata import shown
from bagmill.dataset import Dataset
from bagmill.errors import StorageError
from bagmill.health import Finding, HealthReport, Turn, save_turn, take_turn, verify_dataset
from resources.datasets import DatasetFolder

CHECK: Final = "undamaged"
_MOST_ROWS_SHOWN: Final = 500


class HealthConfig(dg.Config):
    """What a run of `verify_sample` is asked for."""

    sample: float = Field(
        default=0.01,
        gt=0,
        le=1,
        description=(
            "Part of the episodes that is read: the one that comes after that of the last time, so that all have had their "
            "turn after 1 ÷ sample runs. Snapshots, names, statistics and nights are read every time. 1: everything."
        ),
    )


@dg.asset(
    deps=["snapshot"],
    group_name="dataset",
    kinds={"checksum"},
    description=(
        "A part of the dataset read back, every byte compared with its checksum: episodes, reports, films and pictures, "
        "snapshots and their names. The job `verify_sample` looks at the next part each time."
    ),
    check_specs=[
        dg.AssetCheckSpec(
            CHECK, asset="dataset_health", description="Everything that was read is still what was written."
        )
    ],
)
def dataset_health(config: HealthConfig, dataset_folder: DatasetFolder) -> dg.MaterializeResult:  # type: ignore[type-arg]  # with a parameter, Dagster takes it for one output of two
    """Read the next part of the dataset back."""
    dataset = dataset_folder.dataset
    try:
        turn = take_turn(dataset, config.sample)
        report = verify_dataset(dataset, turn=turn)
        save_turn(dataset, turn)
    except StorageError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err
    metadata = describe_health(dataset, report, turn=turn)
    result = dg.AssetCheckResult(
        check_name=CHECK,
        passed=report.is_whole,
        severity=dg.AssetCheckSeverity.ERROR,
        description=_sentence(report),
        metadata=shown({"damages": _rows(dataset, report.damages)}),
    )
    return dg.MaterializeResult(metadata=metadata, check_results=[result])


def describe_health(dataset: Dataset, report: HealthReport, *, turn: Turn) -> Mapping[str, dg.MetadataValue[Any]]:
    """What was read and what of it is damaged."""
    return shown(
        {
            "num_damages": len(report.damages),
            "num_leftovers": len(report.findings) - len(report.damages),
            "part": f"{turn.number + 1} of {turn.num_turns}",
            "num_without_checksum": report.num_without_checksum,
            "read": [{"what": kind, "number": num} for kind, num in report.num_checked.items()],
            "findings": _rows(dataset, report.findings),
        }
    )


def _sentence(report: HealthReport) -> str:
    num_read = sum(report.num_checked.values())
    if report.is_whole:
        return f"{num_read:,} things read, all of them whole."
    first = report.damages[0]
    return (
        f"{len(report.damages):,} of {num_read:,} things are damaged, first {first.kind} {first.path}: {first.problem}. "
        "`bagmill repair` lists what can be made again."
    )


def _rows(dataset: Dataset, findings: tuple[Finding, ...]) -> list[dict[str, object]]:
    return [
        {
            "what": each.kind,
            "where": str(each.path.relative_to(dataset.path)),
            "what_is_wrong": each.problem,
            "what_mends_it": each.remedy,
        }
        for each in findings[:_MOST_ROWS_SHOWN]
    ]
