"""Runs that are killed and retried: what of it is known when, and when a backfill with such runs may be summed up.

The slow ones have Dagster's own backfill look at the worst of moments, over a code server of their own.
"""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from dagster._core.definitions.assets.graph.asset_graph_subset import AssetGraphSubset
from dagster._core.events import DagsterEvent, JobFailureData, RunFailureReason, StepMaterializationData
from dagster._core.execution import asset_backfill
from dagster._core.execution.asset_backfill import AssetBackfillData
from dagster._core.execution.backfill import BulkActionStatus, PartitionBackfill
from dagster._core.storage.tags import AUTO_RETRY_RUN_ID_TAG, BACKFILL_ID_TAG, PARENT_RUN_ID_TAG, ROOT_RUN_ID_TAG
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import PythonFileTarget
from dagster._daemon.backfill import execute_backfill_iteration
from dagster._time import get_current_timestamp

from pipelines.deployment import ROOT
from pipelines.instance import DeploymentInstance

pytestmark = pytest.mark.both_databases
# Dagster's backfill calls what Dagster says is deprecated.
_QUIET = pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources` is deprecated:DeprecationWarning")
RUN_RETRIES = {"enabled": True, "max_retries": 1, "retry_on_asset_or_op_failure": False}
OURS = {
    "instance_class": {"module": "pipelines.instance", "class": "DeploymentInstance"},
    "run_retries": RUN_RETRIES,
    "concurrency": {"pools": {"granularity": "run", "default_limit": 1}},
}
PARTITIONS = ["a", "b", "c", "d"]
DEFINITIONS = """
import dagster as dg

@dg.asset(
    partitions_def=dg.DynamicPartitionsDefinition(name="episodes"),
    backfill_policy=dg.BackfillPolicy.single_run(),
    pool="narrow",
)
def episode(): ...

defs = dg.Definitions([episode])
"""


@pytest.fixture
def instance(tmp_path: Path, database: Any) -> Iterator[DeploymentInstance]:
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides=OURS | dict(database() or {})) as instance:
        assert isinstance(instance, DeploymentInstance)
        yield instance


@pytest.mark.parametrize(
    ("reason", "has_been_retried", "expected"),
    [
        (None, False, "true"),
        (RunFailureReason.RUN_EXCEPTION, False, "true"),
        (RunFailureReason.STEP_FAILURE, False, "false"),  # episodes were refused
        (None, True, "false"),  # and that was the last time
    ],
)
def test_whoever_reads_of_a_failure_finds_the_run_failed_and_its_retry_decided(
    instance: DeploymentInstance,
    monkeypatch: pytest.MonkeyPatch,
    reason: RunFailureReason | None,
    has_been_retried: bool,
    expected: str,
) -> None:
    run = _start(instance)
    if has_been_retried:
        run = _start(instance, retry_of=run)
    found: list[tuple[dg.DagsterRunStatus, str | None]] = []

    def look() -> None:
        stored = instance.get_run_by_id(run.run_id)
        assert stored is not None
        found.append((stored.status, stored.tags.get("dagster/will_retry")))

    _before(instance.run_storage, "handle_run_event", look, monkeypatch)
    _before(instance.event_log_storage, "store_event", look, monkeypatch)
    data = None if reason is None else JobFailureData(error=None, failure_reason=reason)
    instance.report_run_failed(run, "gone", data)
    known, told, *_ = found
    assert known == (dg.DagsterRunStatus.STARTED, expected)
    assert told == (dg.DagsterRunStatus.FAILURE, expected)
    look()
    assert found[-1] == told


def test_a_run_that_succeeds_says_nothing_of_retries(instance: DeploymentInstance) -> None:
    run = _start(instance)
    _succeed(instance, run)
    stored = instance.get_run_by_id(run.run_id)
    assert stored is not None
    assert stored.status == dg.DagsterRunStatus.SUCCESS
    assert "dagster/will_retry" not in stored.tags


def test_a_backfill_fails_only_when_none_of_its_runs_can_change_that(instance: DeploymentInstance) -> None:
    run = _start(instance, backfill="one")
    elsewhere = _start(instance, backfill="another")
    instance.add_backfill(_summed_up(instance))
    instance.report_run_failed(run, "killed")

    def conclude() -> BulkActionStatus:
        """Sum up as Dagster does, and look at what came of it."""
        ended = _summed_up(instance).with_status(BulkActionStatus.COMPLETED_FAILED)
        instance.update_backfill(ended.with_end_timestamp(get_current_timestamp()))
        stored = instance.get_backfill("one")
        assert stored is not None
        return stored.status

    assert conclude() == BulkActionStatus.REQUESTED  # the retry is to come
    retry = _start(instance, backfill="one", retry_of=run)
    instance.add_run_tags(run.run_id, {AUTO_RETRY_RUN_ID_TAG: retry.run_id})
    assert conclude() == BulkActionStatus.REQUESTED  # it is under way
    before = _summed_up(instance)
    _succeed(instance, retry)
    instance.update_backfill(before.with_status(BulkActionStatus.COMPLETED_FAILED))
    stored = instance.get_backfill("one")
    assert stored is not None
    assert stored.status == BulkActionStatus.REQUESTED  # what it made is not counted
    before = _summed_up(instance)
    _succeed(instance, elsewhere)
    instance.update_backfill(before.with_status(BulkActionStatus.COMPLETED_FAILED))
    stored = instance.get_backfill("one")
    assert stored is not None
    assert stored.status == BulkActionStatus.COMPLETED_FAILED  # nothing of it is open: it did fail


@pytest.mark.parametrize("status", [BulkActionStatus.COMPLETED_SUCCESS, BulkActionStatus.CANCELED])
def test_any_other_end_is_stored_at_once(instance: DeploymentInstance, status: BulkActionStatus) -> None:
    backfill = _summed_up(instance)
    instance.add_backfill(backfill)
    _start(instance, backfill="one")
    instance.update_backfill(backfill.with_status(status))
    stored = instance.get_backfill("one")
    assert stored is not None
    assert stored.status == status


@pytest.mark.slow
@_QUIET
def test_a_backfill_that_looks_while_a_failure_is_stored_is_not_ended_by_it(
    instance: DeploymentInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _backfilled(instance, tmp_path) as (run, tick):
        _make(instance, run, PARTITIONS[:2])
        seen: list[BulkActionStatus] = []
        with monkeypatch.context() as patch:
            _after(instance.run_storage, "handle_run_event", lambda: seen.append(tick()), patch)
            instance.report_run_failed(run, "killed")
        assert set(seen) == {BulkActionStatus.REQUESTED}
        assert tick() == BulkActionStatus.REQUESTED
        retry = _start(instance, backfill="one", retry_of=run)
        instance.add_run_tags(run.run_id, {AUTO_RETRY_RUN_ID_TAG: retry.run_id})
        _make(instance, retry, PARTITIONS[2:])
        _succeed(instance, retry)
        assert tick() == BulkActionStatus.COMPLETED_SUCCESS


@pytest.mark.slow
@_QUIET
@pytest.mark.parametrize("is_whole", [True, False])
def test_a_retry_that_ends_while_its_backfill_is_counted_is_counted_too(
    instance: DeploymentInstance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, is_whole: bool
) -> None:
    with _backfilled(instance, tmp_path) as (run, tick):
        instance.report_run_failed(run, "killed")
        retry = _start(instance, backfill="one", retry_of=run)
        instance.add_run_tags(run.run_id, {AUTO_RETRY_RUN_ID_TAG: retry.run_id})

        def end() -> None:
            _make(instance, retry, PARTITIONS if is_whole else PARTITIONS[1:])
            _succeed(instance, retry)

        with monkeypatch.context() as patch:
            _after(asset_backfill, "_get_failed_asset_graph_subset", end, patch)
            assert tick() == BulkActionStatus.REQUESTED
        assert tick() == (BulkActionStatus.COMPLETED_SUCCESS if is_whole else BulkActionStatus.COMPLETED_FAILED)


@pytest.mark.slow
@_QUIET
def test_the_limit_of_a_pool_is_there_before_its_first_run_is_queued(
    instance: DeploymentInstance, tmp_path: Path
) -> None:
    with _backfilled(instance, tmp_path) as (run, _):
        assert run.run_op_concurrency is not None
        limits = {limit.name: limit.limit for limit in instance.event_log_storage.get_pool_limits()}
        assert limits == {"narrow": 1}


@pytest.mark.parametrize("name", ["dagster.yaml", "dagster.postgres.yaml"])
def test_the_examples_have_it(name: str) -> None:
    settings = yaml.safe_load((ROOT / "pipelines" / name).read_text())
    assert settings["instance_class"] == OURS["instance_class"]


@contextmanager
def _backfilled(
    instance: dg.DagsterInstance, folder: Path
) -> Iterator[tuple[dg.DagsterRun, Callable[[], BulkActionStatus]]]:
    """A backfill whose one run is told to have begun, and what has Dagster look at the backfill."""
    definitions = folder / "definitions.py"
    definitions.write_text(DEFINITIONS)
    target = PythonFileTarget(str(definitions), None, None, "there")
    with WorkspaceProcessContext(instance, target) as workspace:
        instance.add_dynamic_partitions("episodes", PARTITIONS)
        with dg.partition_loading_context(dynamic_partitions_store=instance):
            backfill = PartitionBackfill.from_asset_partitions(
                backfill_id="one",
                asset_graph=workspace.create_request_context().asset_graph,
                partition_names=PARTITIONS,
                asset_selection=[dg.AssetKey("episode")],
                backfill_timestamp=time.time(),
                tags={},
                dynamic_partitions_store=instance,
                all_partitions=False,
                title=None,
                description=None,
                run_config=None,
            )
        instance.add_backfill(backfill)

        def tick() -> BulkActionStatus:
            errors = [each for each in execute_backfill_iteration(workspace, logging.getLogger(__name__)) if each]
            assert errors == []
            stored = instance.get_backfill("one")
            assert stored is not None
            return stored.status

        assert tick() == BulkActionStatus.REQUESTED
        (run,) = instance.get_runs()
        began = DagsterEvent(dg.DagsterEventType.RUN_START.value, run.job_name, message="began")
        instance.report_dagster_event(began, run_id=run.run_id)
        yield run, tick


def _make(instance: dg.DagsterInstance, run: dg.DagsterRun, partitions: list[str]) -> None:
    for partition in partitions:
        made = StepMaterializationData(dg.AssetMaterialization("episode", partition=partition))
        event = DagsterEvent(
            dg.DagsterEventType.ASSET_MATERIALIZATION.value,
            run.job_name,
            message="made",
            step_key="episode",
            event_specific_data=made,
        )
        instance.report_dagster_event(event, run_id=run.run_id)


def _start(
    instance: dg.DagsterInstance, *, backfill: str | None = None, retry_of: dg.DagsterRun | None = None
) -> dg.DagsterRun:
    tags = {} if retry_of is None else {key: value for key, value in retry_of.tags.items() if "range" in key}
    if backfill is not None:
        tags[BACKFILL_ID_TAG] = backfill
    above = None if retry_of is None else retry_of.run_id
    if above is not None:
        tags |= {PARENT_RUN_ID_TAG: above, ROOT_RUN_ID_TAG: above}
    return instance.create_run_for_job(
        dg.job(_nothing),
        status=dg.DagsterRunStatus.STARTED,
        tags=tags,
        parent_run_id=above,
        root_run_id=above,
    )


def _nothing() -> None:
    pass


def _succeed(instance: dg.DagsterInstance, run: dg.DagsterRun) -> None:
    event = DagsterEvent(dg.DagsterEventType.RUN_SUCCESS.value, run.job_name, message="done")
    instance.report_dagster_event(event, run_id=run.run_id)


def _summed_up(instance: dg.DagsterInstance) -> PartitionBackfill:
    """A backfill as it stands by the events there are now."""
    now = time.time()
    nothing = AssetGraphSubset.create_empty_subset()
    data = AssetBackfillData.empty(nothing, now, dynamic_partitions_store=instance)
    return PartitionBackfill(
        backfill_id="one",
        status=BulkActionStatus.REQUESTED,
        from_failure=False,
        tags={},
        backfill_timestamp=now,
        asset_backfill_data=data._replace(latest_storage_id=instance.event_log_storage.get_maximum_record_id()),
    )


def _before(owner: object, name: str, look: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have someone look just before a method does what it does."""
    method = getattr(owner, name)

    def looked_at(*args: Any, **kwargs: Any) -> Any:
        look()
        return method(*args, **kwargs)

    monkeypatch.setattr(owner, name, looked_at)


def _after(owner: object, name: str, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> None:
    """Have something happen each time that a function has done what it does; not while it happens."""
    function = getattr(owner, name)
    is_acting = False

    def followed(*args: Any, **kwargs: Any) -> Any:
        nonlocal is_acting
        result = function(*args, **kwargs)
        if not is_acting:
            is_acting = True
            act()
            is_acting = False
        return result

    monkeypatch.setattr(owner, name, followed)
