"""Dagster's own backfill, run launcher and code server over the workspace's file: one run for a range, and a true account."""

import logging
import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.backfill import execute_backfill_iteration

import assets
from bagmill.quality import METRICS, STAGES
from bagmill.testing import healthy, with_black_frames, write_small_profile
from pipelines.deployment import ROOT

EPISODES = ["a.mcap", "b.mcap", "c.mcap"]
POOLED = {"module": "pipelines.event_log", "class": "PooledEventLog"}
AT_ONCE = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}


@pytest.mark.slow
# Dagster's backfill calls what Dagster says is deprecated.
@pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources` is deprecated:DeprecationWarning")
@pytest.mark.both_databases
@pytest.mark.parametrize("is_ours", [False, True])
def test_a_backfill_fails_for_the_bad_episode_alone_and_again_makes_that_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, database: Any, is_ours: bool
) -> None:
    recordings, home = tmp_path / "recordings", tmp_path / "dagster"
    recordings.mkdir()
    home.mkdir()
    for name, build in zip(EPISODES, (healthy, with_black_frames, healthy), strict=True):
        build(recordings / name)
    write_small_profile(tmp_path / "small.yaml")
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text("profiles: [{match: '*', profile: small.yaml}]\nworkers: {processes: 2}\n")
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(deployment))
    monkeypatch.chdir(tmp_path)
    storage = _storage(database(), home=home, is_ours=is_ours)
    with (
        dg.instance_for_test(temp_dir=str(home), overrides={"run_coordinator": AT_ONCE, **storage}) as instance,
        WorkspaceProcessContext(instance, WorkspaceFileTarget([str(ROOT / "workspace.yaml")])) as workspace,
    ):
        instance.add_dynamic_partitions("episodes", EPISODES)
        backfill = _backfill(instance, workspace, "first")
        data = backfill.asset_backfill_data
        assert data is not None
        assert backfill.status == BulkActionStatus.COMPLETED_FAILED
        failed = data.failed_and_downstream_subset.partitions_subsets_by_asset_key
        assert {key.to_user_string(): set(keys.get_partition_keys()) for key, keys in failed.items()} == {
            "preview": {"b.mcap"}
        }
        assert len(instance.get_runs()) == 1
        assert set(instance.get_materialized_partitions(dg.AssetKey("preview"))) == {"a.mcap", "c.mcap"}
        healthy(recordings / "b.mcap")
        backfill = _backfill(instance, workspace, "again")
        data = backfill.asset_backfill_data
        assert data is not None
        assert backfill.status == BulkActionStatus.COMPLETED_SUCCESS
        counted = data.materialized_subset.partitions_subsets_by_asset_key
        assert {key.to_user_string(): set(keys.get_partition_keys()) for key, keys in counted.items()} == {
            stage: set(EPISODES) for stage in STAGES
        }
        assert len(instance.get_runs()) == 2
        assert _is_reused(instance) == {"a.mcap": True, "b.mcap": False, "c.mcap": True}
        for name in METRICS:
            assert _check_state(instance, METRICS[name].stage, name) == {"SUCCEEDED": set(EPISODES)}


def _storage(database: dict[str, Any] | None, *, home: Path, is_ours: bool) -> dict[str, Any]:
    """Settings of the instance for our classes, or for Dagster's own on the same database."""
    if database is None:
        return {"event_log_storage": {**POOLED, "config": {"home": str(home)}}} if is_ours else {}
    if is_ours:
        return database
    url = str(database["storage"]["custom"]["config"]["postgres_url"])
    return {"storage": {"postgres": {"postgres_url": url.replace("postgresql://", "postgresql+psycopg2://")}}}


def _is_reused(instance: dg.DagsterInstance) -> dict[str, bool]:
    """Whether each episode was taken as it stood, by what was told last."""
    found = instance.fetch_materializations(dg.AssetKey("episode"), limit=len(EPISODES)).records
    return {str(each.partition_key): each.asset_materialization.metadata["is_reused"].value for each in found}


def _check_state(instance: dg.DagsterInstance, asset: str, check: str) -> dict[str, set[str]]:
    key = dg.AssetCheckKey(dg.AssetKey(asset), check)
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        state = instance.event_log_storage.get_asset_check_state([(key, assets.EPISODES)])[key]
        return {
            status.value: set(subset.subset_value.get_partition_keys())
            for status, subset in state.subsets.items()
            if not subset.is_empty
        }


def _backfill(instance: dg.DagsterInstance, workspace: WorkspaceProcessContext, name: str) -> PartitionBackfill:
    with dg.partition_loading_context(dynamic_partitions_store=instance):
        backfill = PartitionBackfill.from_asset_partitions(
            backfill_id=name,
            asset_graph=workspace.create_request_context().asset_graph,
            partition_names=EPISODES,
            asset_selection=[dg.AssetKey(stage) for stage in STAGES],
            backfill_timestamp=time.time(),
            tags={},
            dynamic_partitions_store=instance,
            all_partitions=False,
            title=None,
            description=None,
            run_config=None,
        )
    instance.add_backfill(backfill)
    deadline = time.monotonic() + 180
    while backfill.status in (BulkActionStatus.REQUESTED, BulkActionStatus.FAILING):
        errors = [error for error in execute_backfill_iteration(workspace, logging.getLogger(__name__)) if error]
        assert errors == []
        assert time.monotonic() < deadline
        time.sleep(0.5)
        found = instance.get_backfill(name)
        assert found is not None
        backfill = found
    return backfill
