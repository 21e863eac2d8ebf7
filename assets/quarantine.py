"""Asset `quarantine`: everything that was refused, in one place."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import dagster as dg

from assets.metadata import Metadata, shown
from bagmill.cli.wording import stamp_text
from bagmill.dataset import Dataset, QuarantineEntry, list_quarantine
from bagmill.errors import StorageError
from resources.datasets import DatasetFolder

_MAX_ROWS_SHOWN: Final = 500


@dg.asset(
    group_name="dataset",
    kinds={"json"},
    description=(
        "What was refused, with its reason, its recording and what to do. The sensor `quarantine_changes` keeps it up to "
        "date; the job `release_quarantine` has a selection tried again after a fix."
    ),
)
def quarantine(dataset_folder: DatasetFolder) -> dg.MaterializeResult[None]:
    """List the quarantine as it is now."""
    try:
        return dg.MaterializeResult(metadata=describe_quarantine(dataset_folder.dataset))
    except StorageError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err


def describe_quarantine(dataset: Dataset) -> Metadata:
    """The quarantine as a table, the latest refusals first, and counts by reason.

    Raises:
        StorageError: An entry cannot be read; names it.
    """
    entries = sorted(list_quarantine(dataset), key=lambda entry: (-entry.since_ns, entry.episode))
    counted = Counter(reason_in_short(entry) for entry in entries)
    return {
        "num_episodes": dg.MetadataValue.int(len(entries)),
        "num_passing": dg.MetadataValue.int(sum(entry.is_passing for entry in entries)),
        "num_released": dg.MetadataValue.int(sum(entry.released_ns is not None for entry in entries)),
        **shown({"reasons": [{"reason": reason, "episodes": count} for reason, count in counted.most_common()]}),
        **shown({"episodes": quarantine_rows(entries[:_MAX_ROWS_SHOWN])}),
        **shown({"num_not_shown": len(entries) - _MAX_ROWS_SHOWN if len(entries) > _MAX_ROWS_SHOWN else None}),
    }


def quarantine_rows(entries: Sequence[QuarantineEntry]) -> list[dict[str, object]]:
    """A row an entry, for a table."""
    return [
        {
            "episode": entry.episode,
            "robot": entry.robot,
            "recording": entry.recording,
            "stage": entry.stage,
            "kind": entry.kind,
            "reason": entry.reason,
            "remedy": entry.remedy or "",
            "since": stamp_text(entry.since_ns),
            "may_pass": entry.is_passing,
            "released": "" if entry.released_ns is None else stamp_text(entry.released_ns),
            "failed_checks": entry.failed_checks,
        }
        for entry in entries
    ]


def reason_in_short(entry: QuarantineEntry) -> str:
    """An entry's reason without what is its own: the checks that failed, or the sentence without the recording's path."""
    if entry.failed_checks:
        return f"checks failed: {', '.join(entry.failed_checks)}"
    return (
        entry.reason.replace(f"{entry.recording}: ", "")
        .replace(entry.episode, "…")
        .replace(entry.recording or "\0", "…")
    )
