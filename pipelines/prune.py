"""Job `prune_versions`: what nothing needs any more is listed, and removed when that is asked for."""

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here
from pydantic import Field

from assets.metadata import shown
from bagmill.cli.wording import counted, size_text
from bagmill.dataset import PrunePlan, apply_prune, plan_prune
from bagmill.errors import StorageError
from resources.datasets import DatasetFolder

_MOST_ROWS_SHOWN = 500


class PruneConfig(dg.Config):
    """What a run of `prune_versions` is asked for."""

    dry_run: bool = Field(
        default=True, description="Only list what would go. Look at the list before you switch it off."
    )
    keep_snapshots: int | None = Field(
        default=None,
        ge=0,
        description=(
            "How many of the newest snapshots stay, beside those that have a name and that of the last night. Left out: "
            "all of them, so that only versions go that no snapshot ever named."
        ),
    )


@dg.op
def prune(context: dg.OpExecutionContext, config: PruneConfig, dataset_folder: DatasetFolder) -> None:
    """List the versions that nothing needs; remove them where `dry_run` is false."""
    dataset = dataset_folder.dataset
    try:
        plan = plan_prune(dataset, keep_snapshots=config.keep_snapshots)
        pruned = None if config.dry_run else apply_prune(dataset, plan)
    except StorageError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err
    versions = plan.versions if pruned is None else pruned.versions
    snapshots = plan.snapshots if pruned is None else pruned.snapshots
    size_bytes = plan.size_bytes if pruned is None else pruned.size_bytes
    said = f"{counted(len(versions), 'version')} and {counted(len(snapshots), 'snapshot')}, {size_text(size_bytes)}"
    context.log.info(f"would remove {said}; nothing was changed" if pruned is None else f"removed {said}")
    context.add_output_metadata(
        shown(
            {
                "dry_run": config.dry_run,
                "num_versions": len(versions),
                "num_snapshots": len(snapshots),
                "size_bytes": size_bytes,
                "num_skipped": 0 if pruned is None else len(pruned.skipped),
                "versions": [
                    {
                        "episode": each.episode,
                        "version": each.version,
                        "size_bytes": each.size_bytes,
                        "why": each.reason,
                    }
                    for each in versions[:_MOST_ROWS_SHOWN]
                ],
                "snapshots": [{"snapshot": each.id, "size_bytes": each.size_bytes} for each in snapshots],
            }
            | _kept(plan)
        )
    )


@dg.job(description="List the versions that no snapshot names and that are not current; remove them on demand.")
def prune_versions() -> None:
    """List what nothing needs any more, and remove it where `dry_run` is false."""
    prune()


def _kept(plan: PrunePlan) -> dict[str, object]:
    return {
        "num_kept_as_current": plan.num_current,
        "num_kept_for_snapshots": plan.num_named,
        "num_kept_in_making": plan.num_in_making,
    }
