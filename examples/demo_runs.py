"""Runs of Dagster's jobs, with a progress bar: Dagster in a process of its own, and what it logs in a file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import dagster as dg
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from assets import EPISODES
from pipelines.deployment import ROOT

_TAG = "bagmill/demo"
_POLL_S = 0.3


def ingest_episodes(instance: dg.DagsterInstance, episodes: Sequence[str], *, log: Path, console: Console) -> bool:
    """Ingest episodes: one run for each range of partitions that they form.

    Returns:
        Whether every run came to its end, with or without refusals.
    """
    known = instance.get_dynamic_partitions(str(EPISODES.name))
    ended = []
    for keys in ranges_of(episodes, known):
        tags = {"dagster/asset_partition_range_start": keys[0], "dagster/asset_partition_range_end": keys[-1]}
        ended.append(run_job("ingest", instance, tags=tags, num_episodes=len(keys), log=log, console=console))
    return all(ended)


def run_job(
    job: str, instance: dg.DagsterInstance, *, tags: dict[str, str], num_episodes: int, log: Path, console: Console
) -> bool:
    """Run a job to its end.

    Args:
        job: Its name.
        instance: Where the run is recorded.
        tags: Of the run; they name its partitions.
        num_episodes: How far the progress bar goes; 0 where the job does not work through episodes.
        log: What Dagster says is appended here.
        console: Where the progress bar goes.

    Returns:
        Whether the run came to its end, with or without refusals.
    """
    mark = {_TAG: uuid4().hex}
    command = [
        sys.executable,
        "-m",
        "dagster",
        "job",
        "execute",
        "-f",
        "pipelines/definitions.py",
        "-d",
        ".",
        "-j",
        job,
    ]
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with log.open("ab") as file, Progress(*columns, console=console) as bars:
        bar = bars.add_task(f"Dagster job {job}", total=max(1, num_episodes))
        process = subprocess.Popen(  # noqa: S603 - our own command line
            [*command, "--tags", json.dumps(tags | mark)], cwd=ROOT, stdout=file, stderr=file
        )
        try:
            while process.poll() is None:
                time.sleep(_POLL_S)
                bars.update(bar, completed=len(_episodes_told(instance, mark)))
        except KeyboardInterrupt:
            process.wait()  # it got the Ctrl-C as well, and ends its workers
            raise
        bars.update(bar, completed=max(1, num_episodes))
    runs = instance.get_runs(dg.RunsFilter(tags=mark))
    return len(runs) == 1 and (runs[0].is_success or _has_refusals(instance, runs[0].run_id))


def ranges_of(episodes: Sequence[str], known: Sequence[str]) -> list[list[str]]:
    """Partitions as runs over ranges take them: what stands together in Dagster's order.

    >>> ranges_of(["d", "a", "b"], ["a", "b", "c", "d"])
    [['a', 'b'], ['d']]
    """
    wanted = set(episodes)
    ranges: list[list[str]] = []
    is_open = False
    for key in known:
        if key in wanted:
            if not is_open:
                ranges.append([])
            ranges[-1].append(key)
        is_open = key in wanted
    return ranges


def _episodes_told(instance: dg.DagsterInstance, mark: dict[str, str]) -> set[str | None]:
    """Episodes of which the run has told something: they are finished, as far as they go."""
    told: set[str | None] = set()
    for run in instance.get_runs(dg.RunsFilter(tags=mark)):
        connection = instance.get_records_for_run(run.run_id, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
        told |= {record.partition_key for record in connection.records}
    return told


def _has_refusals(instance: dg.DagsterInstance, run_id: str) -> bool:
    """The run failed for the one reason that is foreseen: it worked through its episodes, and some were refused."""
    failures = instance.get_records_for_run(run_id, of_type=dg.DagsterEventType.STEP_FAILURE).records
    data = [record.event_log_entry.get_dagster_event().step_failure_data for record in failures]
    return any(item.user_failure_data is not None and "refused" in item.user_failure_data.metadata for item in data)
