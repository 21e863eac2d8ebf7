"""Asset `quarantine`: everything that was refused, in one place."""

from collections import Counter
from collections.abc import Sequence
from typing import Final

import dagster as dg

from assets.markdown import Markdown, md_table, md_text
from assets.metadata import Metadata, shown
from bagmill.cli.wording import stamp_text
from bagmill.dataset import Dataset, QuarantineEntry, list_quarantine
from bagmill.errors import StorageError
from resources.datasets import DatasetFolder
from resources.media import MediaServer

_MAX_ROWS_SHOWN: Final = 500
"""On the asset's page; the media server lists all."""


@dg.asset(
    group_name="dataset",
    kinds={"json"},
    description=(
        "What was refused, with its reason, its recording and what to do. The sensor `quarantine_changes` keeps it up to "
        "date; the job `release_quarantine` has a selection tried again after a fix."
    ),
)
def quarantine(dataset_folder: DatasetFolder, media: MediaServer) -> dg.MaterializeResult[None]:
    """List the quarantine as it is now."""
    try:
        return dg.MaterializeResult(metadata=describe_quarantine(dataset_folder.dataset, media))
    except StorageError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err


def describe_quarantine(dataset: Dataset, media: MediaServer) -> Metadata:
    """The quarantine as a table, the latest refusals first, counts by reason, and where all of it is listed.

    Args:
        dataset: Whose.
        media: Has a page for each episode, and one with all of them.

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
        "all_episodes": dg.MetadataValue.url(media.quarantine_url),
        **({"episodes": _listed(entries[:_MAX_ROWS_SHOWN], media)} if entries else {}),
        **shown({"num_not_shown": len(entries) - _MAX_ROWS_SHOWN if len(entries) > _MAX_ROWS_SHOWN else None}),
    }


def _listed(entries: Sequence[QuarantineEntry], media: MediaServer) -> dg.MarkdownMetadataValue:
    """A page's table, with links, which Dagster's own tables do not have."""
    rows = [
        (
            entry.reason,
            entry.remedy or "",
            Markdown(f"[{md_text(entry.episode)}]({media.episode_url(entry.episode)})"),
            entry.stage,
            entry.kind,
            entry.robot,
            entry.recording,
            stamp_text(entry.since_ns),
            "may pass by itself" if entry.is_passing else "",
            "" if entry.released_ns is None else f"released {stamp_text(entry.released_ns)}",
        )
        for entry in entries
    ]
    columns = ("reason", "remedy", "episode", "stage", "kind", "robot", "recording", "since", "passing", "released")
    return dg.MetadataValue.md(md_table(columns, rows))


def quarantine_rows(entries: Sequence[QuarantineEntry]) -> list[dict[str, object]]:
    """A row an entry, for a table."""
    return [
        {
            "reason": entry.reason,
            "remedy": entry.remedy or "",
            "episode": entry.episode,
            "robot": entry.robot,
            "recording": entry.recording,
            "stage": entry.stage,
            "kind": entry.kind,
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
