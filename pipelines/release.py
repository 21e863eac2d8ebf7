"""The job `release_quarantine`: a selection of what was refused is tried again after a fix."""

import time
from fnmatch import fnmatchcase

import dagster as dg  # reads annotations as they stand: no `from __future__ import annotations` here
from pydantic import Field

from assets.metadata import table
from assets.quarantine import quarantine_rows
from bagmill.cli.wording import counted
from bagmill.dataset import Dataset, QuarantineEntry, list_quarantine, release_for_retry
from bagmill.errors import BagmillError
from bagmill.quality import METRICS, STAGES
from resources.datasets import DatasetFolder


class Selection(dg.Config):
    """Which episodes are released: those of which all that is given holds."""

    episodes: list[str] = Field(
        default=["*"], description="Globs of episodes' names, or of recordings' paths; one that matches is enough."
    )
    stage: str | None = Field(default=None, description=f"The stage that refused them: {', '.join(STAGES)}.")
    check: str | None = Field(default=None, description="A check that they failed, by name.")
    only_passing: bool = Field(default=False, description="Only reasons that may have passed by themselves.")
    dry_run: bool = Field(default=True, description="Only list them; false releases them.")


@dg.op
def release(context: dg.OpExecutionContext, config: Selection, dataset_folder: DatasetFolder) -> None:
    """Release a selection of the quarantine, or list it.

    A released episode keeps its entry until it was tried again, which the sensor `arrivals` asks for at its next look through
    what is registered, or any run over it. One that failed a check is made anew, so that its checks are, too.
    """
    if problem := _problem_of(config):
        raise dg.Failure(description=problem, allow_retries=False)
    try:
        chosen = [entry for entry in list_quarantine(dataset_folder.dataset) if _is_chosen(entry, config)]
        if not config.dry_run:
            chosen = _release(dataset_folder.dataset, chosen)
    except BagmillError as err:
        raise dg.Failure(description=str(err), allow_retries=False) from err
    said = "would be released; nothing was, because `dry_run` is true" if config.dry_run else "released"
    context.log.info(f"{counted(len(chosen), 'episode')} {said}")
    context.add_output_metadata(
        {"num_episodes": len(chosen), "dry_run": config.dry_run}
        | ({"episodes": table(quarantine_rows(chosen))} if chosen else {})
    )


@dg.job(
    description="Have a selection of what was refused tried again. Lists it only, unless `dry_run` is set to false."
)
def release_quarantine() -> None:
    """Release a selection of the quarantine."""
    release()


def _problem_of(config: Selection) -> str | None:
    if config.stage is not None and config.stage not in STAGES:
        return f"there is no stage {config.stage!r}; the stages are {', '.join(STAGES)}"
    if config.check is not None and config.check not in METRICS:
        return f"there is no check {config.check!r}; the checks are {', '.join(sorted(METRICS))}"
    return None


def _is_chosen(entry: QuarantineEntry, config: Selection) -> bool:
    return (
        any(_matches(entry, glob) for glob in config.episodes)
        and (config.stage is None or entry.stage == config.stage)
        and (config.check is None or config.check in entry.failed_checks)
        and (entry.is_passing or not config.only_passing)
    )


def _matches(entry: QuarantineEntry, glob: str) -> bool:
    """A glob of names, or of paths: whole ones, or as rules have them, below the folder of recordings."""
    return any(
        fnmatchcase(*pair) for pair in ((entry.episode, glob), (entry.recording, glob), (entry.recording, f"*/{glob}"))
    )


def _release(dataset: Dataset, chosen: list[QuarantineEntry]) -> list[QuarantineEntry]:
    """Release entries; each as it stands then, less those that have left the quarantine meanwhile."""
    now_ns = time.time_ns()
    released = [release_for_retry(dataset, entry.episode, now_ns=now_ns) for entry in chosen]
    return [entry for entry in released if entry is not None]
