"""The event log with pooled connections: Dagster's own class is the judge of what it wrote."""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.event_log import SqliteEventLogStorage

from bagmill.testing import foreign_file, healthy, with_black_frames
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


COLUMNS = {
    "event_logs": "id, run_id, event, dagster_event_type, timestamp, step_key, asset_key, partition",
    "asset_event_tags": "event_id, asset_key, key, value, event_timestamp",
    "asset_keys": "asset_key, last_materialization, last_run_id, last_materialization_timestamp",
    "asset_check_executions": "asset_key, check_name, partition, run_id, execution_status, evaluation_event_timestamp, "
    "evaluation_event_storage_id, materialization_event_storage_id",
}
"""All but what the database itself puts in, and the text of a check's row, which differs for what was only planned."""


def _rows(database: Path, table: str, columns: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        query = f"SELECT {columns} FROM {table} ORDER BY {columns}"  # noqa: S608 - names of our own
        return connection.execute(query).fetchall()


def test_a_batch_is_stored_as_dagsters_own_class_stores_one_by_one(line: Any, tmp_path: Path) -> None:
    for name, build in {"a.mcap": healthy, "b.mcap": with_black_frames, "c.mcap": foreign_file}.items():
        line.add(name, build)
    line.register()
    run = line.ingest("a.mcap", "c.mcap").run_id
    about = {
        dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED,
        dg.DagsterEventType.ASSET_MATERIALIZATION,
        dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    }
    events = [entry for entry in line.instance.all_logs(run) if entry.dagster_event_type in about]
    assert len({entry.dagster_event_type for entry in events}) == 4
    own, ours = SqliteEventLogStorage(str(tmp_path / "own")), PooledEventLog(str(tmp_path / "ours"))
    for entry in events:
        own.store_event(entry)
    ours.store_event_batch(events[:30])
    ours.store_event_batch(events[30:])
    ours.dispose()
    for database in ("index.db", f"{run}.db"):
        for table, columns in COLUMNS.items():
            expected = _rows(tmp_path / "own" / database, table, columns)
            assert _rows(tmp_path / "ours" / database, table, columns) == expected, (database, table)
    told = "SELECT evaluation_event FROM asset_check_executions WHERE execution_status != 'PLANNED' ORDER BY id"
    texts = [sqlite3.connect(tmp_path / name / "index.db").execute(told).fetchall() for name in ("own", "ours")]
    assert texts[0] == texts[1]
    assert len(texts[0]) > 3


@pytest.mark.both_databases
def test_a_planned_check_does_not_repeat_all_partitions_for_each(line: Any) -> None:
    line.instance.add_dynamic_partitions("episodes", names := [f"episode_{n:04d}.mcap" for n in range(200)])
    tags = {"dagster/asset_partition_range_start": names[0], "dagster/asset_partition_range_end": names[-1]}
    run = line.instance.create_run_for_job(line.defs.resolve_job_def("ingest"), tags=tags)
    assert line.check_state("timeline", "skew") == {"in_progress": set(names)}
    record = line.instance.event_log_storage.get_asset_check_execution_history(
        dg.AssetCheckKey(dg.AssetKey("timeline"), "skew"), limit=1
    )[0]
    assert record.run_id == run.run_id
    assert record.event.step_key == "ingest_episodes"
    assert len(record.event.to_json()) < 1000


@pytest.mark.both_databases
def test_a_batch_that_fails_leaves_nothing(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.register()
    run = line.ingest("a.mcap").run_id
    log = line.instance.event_log_storage
    events = line.instance.all_logs(run, of_type=dg.DagsterEventType.ASSET_MATERIALIZATION)
    before = len(line.instance.all_logs(run))
    bad = events[0]._replace(run_id=run, timestamp="yesterday")
    with pytest.raises(TypeError):
        log.store_event_batch([*events, bad])
    assert len(line.instance.all_logs(run)) == before
    assert len(line.instance.fetch_materializations(dg.AssetKey("recording"), limit=9).records) == 1
