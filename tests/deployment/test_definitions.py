"""What Dagster loads: assets, checks, jobs, from any folder."""

import os
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets import EPISODES
from assets.batch import MAX_EPISODES_PER_RUN
from bagmill.deployment import Deployment
from bagmill.quality import METRICS, STAGES
from pipelines.definitions import build_defs
from pipelines.deployment import ROOT


@pytest.fixture(scope="module")
def repository() -> Any:
    defs = build_defs(Deployment(recordings=Path("/nowhere"), dataset=Path("/nowhere")))
    dg.Definitions.validate_loadable(defs)
    return defs.get_repository_def()


def test_the_line_and_its_order(repository: Any) -> None:
    graph = repository.asset_graph
    for earlier, later in pairwise(STAGES):
        assert graph.get(dg.AssetKey(later)).parent_keys == {dg.AssetKey(earlier)}
    assert graph.get(dg.AssetKey("snapshot")).parent_keys == {dg.AssetKey("episode")}
    assert graph.get(dg.AssetKey("snapshot")).partitions_def is None
    assert all(graph.get(dg.AssetKey(stage)).partitions_def == EPISODES for stage in STAGES)
    assert all(
        graph.get(dg.AssetKey(stage)).backfill_policy.max_partitions_per_run == MAX_EPISODES_PER_RUN for stage in STAGES
    )


def test_one_step_makes_the_line(repository: Any) -> None:
    assert len(repository.get_job("ingest").nodes) == 1


def test_every_metric_is_a_check_on_the_asset_of_its_stage(repository: Any) -> None:
    graph = repository.asset_graph
    keys = {key for key in graph.asset_check_keys if key.asset_key != dg.AssetKey("dataset_health")}
    assert {key.name for key in keys} == set(METRICS)
    for key in keys:
        metric = METRICS[key.name]
        spec = graph.get_check_spec(key)
        assert key.asset_key == dg.AssetKey(metric.stage)
        assert spec.description == metric.description
        assert spec.blocking == (metric.severity == "error")
        assert spec.partitions_def == EPISODES


def test_no_asset_has_more_checks_than_the_web_ui_is_made_for(repository: Any) -> None:
    keys = [key.asset_key for key in repository.asset_graph.asset_check_keys]
    assert max(keys.count(key) for key in keys) < 50


def test_the_workspace_loads_from_another_folder(tmp_path: Path) -> None:
    (tmp_path / "deployment.yaml").write_text("recordings: raw\n")
    environment = {**os.environ, "BAGMILL_DEPLOYMENT": str(tmp_path / "deployment.yaml"), "DAGSTER_HOME": str(tmp_path)}
    environment.pop("PYTHONPATH", None)
    command = [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(ROOT / "workspace.yaml")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "Validation successful for code location bagmill" in done.stderr + done.stdout
