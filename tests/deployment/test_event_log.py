"""The event log with pooled connections: Dagster's own class is the judge of what it wrote."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from pipelines.event_log import PooledEventLog

POOLED = {"module": "pipelines.event_log", "class": "PooledEventLog"}


@pytest.fixture
def instance(tmp_path: Path) -> Any:
    override = {"event_log_storage": {**POOLED, "config": {"home": str(tmp_path)}}}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=override) as instance:
        assert isinstance(instance.event_log_storage, PooledEventLog)
        yield instance


@dg.asset(check_specs=[dg.AssetCheckSpec("small", asset="other")])
def other():
    return dg.MaterializeResult(
        metadata={"size_bytes": 7}, check_results=[dg.AssetCheckResult(passed=False, check_name="small")]
    )


def test_dagsters_own_class_reads_what_was_written(instance: Any, tmp_path: Path) -> None:
    result = dg.materialize([other], instance=instance)
    own = SqliteEventLogStorage(str(tmp_path / "history" / "runs"))
    written = instance.all_logs(result.run_id)
    assert own.get_logs_for_run(result.run_id) == written
    record = own.get_latest_materialization_events([dg.AssetKey("other")])[dg.AssetKey("other")]
    assert record is not None
    assert record.asset_materialization is not None
    assert record.asset_materialization.metadata["size_bytes"].value == 7
    key = dg.AssetCheckKey(dg.AssetKey("other"), "small")
    assert own.get_latest_asset_check_execution_by_key([key])[key].status.value == "FAILED"


def test_more_runs_than_files_are_kept_open(instance: Any) -> None:
    runs = [dg.materialize([other], instance=instance).run_id for _ in range(20)]
    open_files = [Path(f"/proc/self/fd/{fd.name}") for fd in Path("/proc/self/fd").iterdir()]
    databases = {str(link.resolve()) for link in open_files if link.exists() and link.resolve().suffix == ".db"}
    assert sum("history/runs" in name for name in databases) <= 17
    assert all(len(instance.all_logs(run)) > 5 for run in runs)


def test_after_wiping_it_is_empty_and_of_use(instance: Any) -> None:
    run = dg.materialize([other], instance=instance).run_id
    instance.wipe()
    assert instance.all_logs(run) == []
    assert instance.get_latest_materialization_event(dg.AssetKey("other")) is None
    assert dg.materialize([other], instance=instance).success
