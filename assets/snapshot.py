"""Asset `snapshot`: the dataset's index, which a training run names."""

from collections.abc import Hashable, Mapping
from typing import Any

import dagster as dg

from assets.metadata import shown
from assets.totals import hours
from bagmill.dataset import Dataset, Snapshot, list_quarantine, load_snapshot, make_snapshot, total
from bagmill.errors import StorageError
from resources.datasets import DatasetFolder

_MAX_ROWS_SHOWN = 500


@dg.asset(
    deps=["episode"],
    group_name="dataset",
    kinds={"parquet"},
    description=(
        "An immutable table of episode versions, one row an episode: those that are published and failed no blocking "
        "check. `latest` points at it."
    ),
)
def snapshot(dataset_folder: DatasetFolder) -> dg.MaterializeResult[None]:
    """Write down which version of every episode is the current one."""
    dataset = dataset_folder.dataset
    try:
        made = make_snapshot(dataset)
        metadata = _metadata(dataset, made)
    except StorageError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err
    return dg.MaterializeResult(metadata=metadata, data_version=dg.DataVersion(made.id))


def _metadata(dataset: Dataset, made: Snapshot) -> Mapping[str, dg.MetadataValue[Any]]:
    rows = load_snapshot(dataset, made.id)
    sums = total(rows)
    refused = [
        {"episode": entry.episode, "stage": entry.stage, "reason": entry.reason} for entry in list_quarantine(dataset)
    ]
    return shown(
        {
            "snapshot_id": made.id,
            "path": made.path,
            "dagster/row_count": made.num_episodes,
            "num_refused": len(refused),
            "num_blocked": made.num_blocked,
            "num_unpublished": made.num_unpublished,
            "num_duplicates": made.num_duplicates,
            "num_damaged": len(made.damaged),
            "damaged": [{"left_out": sentence} for sentence in made.damaged[:_MAX_ROWS_SHOWN]],
            "num_frames": sums.num_frames,
            "duration_h": round(hours(sums), 4),
            "raw_bytes": sums.raw_bytes,
            "stored_bytes": sums.stored_bytes,
            "episodes": [_row(row) for row in rows.head(_MAX_ROWS_SHOWN).to_dict("records")],
            "refused": refused,
        }
    )


def _row(row: Mapping[Hashable, Any]) -> dict[str, object]:
    return {
        "episode": row["episode"],
        "version": row["version"],
        "robot": row["robot"],
        "task": row["task"],
        "profile": row["profile"],
        "duration_s": round(row["duration_s"], 2),
        "frames": row["num_frames"],
        "raw_bytes": row["raw_bytes"],
        "stored_bytes": row["stored_bytes"],
    }
