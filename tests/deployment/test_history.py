"""A backfill over an archive: several runs through Dagster's queue, killed in the middle, and launched again.

Dagster's own backfill, queue, run launcher and code server, each run a process: that takes its half minute.
"""

import logging
import os
import re
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import dagster as dg
import pytest
import yaml
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._daemon.run_coordinator.queued_run_coordinator_daemon import QueuedRunCoordinatorDaemon

from assets.batch import INGEST_POOL
from bagmill.dataset import Dataset
from bagmill.quality import STAGES
from bagmill.testing import Settings, healthy, small_profile
from pipelines.deployment import ROOT
from tests.deployed import wait_for
from tests.processes import is_alive

GROUPS = (("a1.mcap", "a2.mcap"), ("b1.mcap", "b2.mcap"), ("c1.mcap", "c2.mcap"))
EPISODES = [name for group in GROUPS for name in group]
COPY = "c2.mcap"
"""Of the first recording: nothing is made of it, and nothing fails for that."""
MADE = [name for name in EPISODES if name != COPY]
LONG = "b2.mcap"
"""The last of its run, and under way for seconds when the one before it has been published."""
NUM_FRAMES = {name: 600 if name == LONG else 20 for name in EPISODES}
ACTIVE = [dg.DagsterRunStatus.STARTING, dg.DagsterRunStatus.STARTED]
SETTINGS = yaml.safe_load((ROOT / "pipelines" / "dagster.yaml").read_text())
CONCURRENCY = SETTINGS["concurrency"]
PROFILE = small_profile() | {"preview": {"enabled": False}}
# Dagster's backfill calls what Dagster says is deprecated.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources` is deprecated:DeprecationWarning"),
]


@dataclass
class Archive:
    """An instance with a code server, whose daemons do what they have to do when a test turns the crank."""

    instance: dg.DagsterInstance
    workspace: WorkspaceProcessContext
    dataset: Dataset
    profile: Path
    most_at_once: int = 0

    def turn(self) -> None:
        errors = [error for error in execute_backfill_iteration(self.workspace, logging.getLogger(__name__)) if error]
        assert errors == []
        with QueuedRunCoordinatorDaemon(interval_seconds=1) as queue:
            assert [error for error in queue.run_iteration(self.workspace) if error] == []
        self.most_at_once = max(self.most_at_once, len(self.instance.get_runs(dg.RunsFilter(statuses=ACTIVE))))
        time.sleep(0.3)

    def turn_until(self, condition: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 300
        while not condition():
            assert time.monotonic() < deadline, "it did not come about in time"
            self.turn()

    def launch(self, name: str) -> None:
        with dg.partition_loading_context(dynamic_partitions_store=self.instance):
            backfill = PartitionBackfill.from_asset_partitions(
                backfill_id=name,
                asset_graph=self.workspace.create_request_context().asset_graph,
                partition_names=EPISODES,
                asset_selection=[dg.AssetKey(stage) for stage in STAGES[:3]],
                backfill_timestamp=time.time(),
                tags={},
                dynamic_partitions_store=self.instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        self.instance.add_backfill(backfill)

    def backfill(self, name: str) -> PartitionBackfill:
        found = self.instance.get_backfill(name)
        assert found is not None
        return found

    def runs(self, name: str) -> list[dg.DagsterRun]:
        return list(self.instance.get_runs(dg.RunsFilter(tags={"dagster/backfill": name})))

    def run_of(self, name: str, episodes: tuple[str, ...]) -> dg.DagsterRun:
        """The run of a backfill that is to make these."""
        (run,) = (run for run in self.runs(name) if run.tags["dagster/asset_partition_range_start"] == episodes[0])
        return run

    def published(self) -> dict[str, list[int]]:
        """Episode → when each of its versions was made, ns; of those that have any."""
        paths = {
            name: [self.dataset.episode_path(name, each) for each in self.dataset.published(name)] for name in EPISODES
        }
        return {name: [path.stat().st_mtime_ns for path in found] for name, found in paths.items() if found}

    def told(self) -> set[str]:
        """Episodes that Dagster knows of."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey("episode")))

    def is_reused(self, run_ids: set[str]) -> dict[str, bool]:
        """What runs told of each episode: whether it was taken as it stood."""
        records = self.instance.fetch_materializations(dg.AssetKey("episode"), limit=1000).records
        return {
            str(record.partition_key): bool(record.asset_materialization.metadata["is_reused"].value)
            for record in records
            if record.run_id in run_ids and record.asset_materialization is not None
        }

    def kill(self, run: dg.DagsterRun) -> None:
        """Kill a run's process, and tell Dagster what its monitoring would."""
        messages = [entry.message for entry in self.instance.all_logs(run.run_id)]
        (pid,) = {int(match[1]) for message in messages if (match := re.search(r"for run \(pid: (\d+)\)", message))}
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_alive(pid), "the end of the run's process")
        found = self.instance.get_run_by_id(run.run_id)
        assert found is not None
        if not found.is_finished:
            self.instance.report_run_failed(found, "killed")


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    home = tmp_path / "dagster"
    home.mkdir()
    (tmp_path / "recordings").mkdir()
    for name in EPISODES:
        healthy(tmp_path / "recordings" / name, settings=Settings(num_frames=NUM_FRAMES[name]))
    shutil.copy(tmp_path / "recordings" / EPISODES[0], tmp_path / "recordings" / COPY)
    profile = tmp_path / "small.yaml"
    profile.write_text(yaml.safe_dump(PROFILE))
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text("profiles: [{match: '*', profile: small.yaml}]\nworkers: {processes: 1}\n")
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(deployment))
    monkeypatch.chdir(tmp_path)
    event_log = {"module": "pipelines.event_log", "class": "PooledEventLog", "config": {"home": str(home)}}
    overrides = {
        "concurrency": CONCURRENCY,
        "event_log_storage": event_log,
        "instance_class": SETTINGS["instance_class"],
    }
    with (
        dg.instance_for_test(temp_dir=str(home), overrides=overrides) as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([str(ROOT / "workspace.yaml")])) as workspace,
    ):
        # What lies between two groups is not asked for, so that each group is a run of its own.
        for number, group in enumerate(GROUPS):
            instance.add_dynamic_partitions("episodes", [*group, f"between_{number}"])
        yield Archive(instance, workspace, Dataset(tmp_path / "dataset"), profile)


def test_a_backfill_killed_half_way_makes_nothing_again_that_is_published(archive: Archive) -> None:
    archive.launch("first")
    archive.turn()
    # All of them are there to be seen; the pool lets one of them start, from the first on.
    waiting = [run for run in archive.runs("first") if run.status == dg.DagsterRunStatus.QUEUED]
    assert (len(archive.runs("first")), len(waiting)) == (len(GROUPS), len(GROUPS) - 1)
    archive.turn_until(lambda: set(archive.published()) >= set(GROUPS[0]))
    archive.turn_until(lambda: archive.run_of("first", GROUPS[1]).status != dg.DagsterRunStatus.QUEUED)
    # No turn from here to the kill: what waits goes on waiting, however fast the run is that is to be killed.
    # Told is later than published: an episode whose run ends in between is not made again, but looked at again.
    wait_for(lambda: archive.told() & set(GROUPS[1]), "the first episode of the second run", pause_s=0.01)
    archive.kill(archive.run_of("first", GROUPS[1]))
    archive.instance.update_backfill(archive.backfill("first").with_status(BulkActionStatus.CANCELING))
    archive.turn_until(lambda: archive.backfill("first").status == BulkActionStatus.CANCELED)
    assert all(run.is_finished for run in archive.runs("first"))
    before = archive.published()
    assert set(GROUPS[0]) < set(before) <= {*GROUPS[0], *GROUPS[1]} < set(MADE)

    archive.launch("again")
    archive.turn_until(lambda: archive.backfill("again").status == BulkActionStatus.COMPLETED_SUCCESS)
    after = archive.published()
    assert set(after) == set(MADE)
    assert {name: after[name] for name in before} == before
    told = archive.is_reused({run.run_id for run in archive.runs("again")})
    assert {name: told[name] for name in MADE} == {name: name in before for name in MADE}
    # The pool's limit, not that of all runs.
    assert archive.most_at_once == 1 < CONCURRENCY["runs"]["max_concurrent_runs"]
    assert all(
        run.run_op_concurrency and run.run_op_concurrency.all_pools == {INGEST_POOL} for run in archive.runs("again")
    )

    archive.profile.write_text(yaml.safe_dump(PROFILE | {"task": "another"}))
    archive.launch("another profile")
    archive.turn_until(lambda: archive.backfill("another profile").status == BulkActionStatus.COMPLETED_SUCCESS)
    for name, versions in archive.published().items():
        assert len(versions) == 2
        assert set(after[name]) < set(versions)
