"""A night: what it ingests, when it has ended, and what it leaves."""

import base64
import io
import os
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs
from dagster._utils.log import get_dagster_logger
from dagster_graphql.schema import create_schema
from PIL import Image

import pipelines.nights
import pipelines.sensors.ranges
from assets.nightly_report import NIGHT_TAG
from bagmill.dataset import Dataset, QuarantineEntry, load_night, put_quarantine, read_quarantine, release_for_retry
from bagmill.deployment import NightSettings
from bagmill.errors import BagmillError
from bagmill.testing import Settings, healthy, with_black_frames, write_small_profile
from pipelines.definitions import build_defs
from pipelines.deployment import ROOT, load_deployment
from pipelines.nights import begin_night, ended_nights
from pipelines.schedules import nightly_schedule
from pipelines.sensors.night_ends import night_ends_sensor

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
FIRST, SECOND = (datetime(2026, 3, day, 2, tzinfo=UTC) for day in (1, 2))
RESOURCES = ("recordings", "dataset_folder", "profiles", "nights")


def _old(build: Callable[..., object], **kwargs: object) -> Callable[[Path], object]:
    """A builder of recordings that nothing was written to for a while."""

    def write(path: Path) -> None:
        build(path, **kwargs)
        then = time.time() - 600 - path.stat().st_size / 1e3
        os.utime(path, (then, then))

    return write


def _night(line: Any, when: datetime, *, settled_after_s: float = 60) -> list[dg.RunRequest]:
    """What the schedule asks for."""
    schedule = nightly_schedule(NightSettings(), settled_after_s=settled_after_s)
    with dg.build_schedule_context(
        instance=line.instance,
        scheduled_execution_time=when,
        resources={name: line.defs.resources[name] for name in RESOURCES},
    ) as context:
        return list(schedule.evaluate_tick(context).run_requests or [])


def _run(line: Any, request: dg.RunRequest, *, job: str = "ingest") -> dg.ExecuteInProcessResult:
    """A run as Dagster's daemon makes it of a request."""
    result: dg.ExecuteInProcessResult = line.defs.resolve_job_def(job).execute_in_process(
        instance=line.instance,
        tags={**request.tags, "dagster/run_key": str(request.run_key)},
        asset_selection=request.asset_selection,
        raise_on_error=False,
        run_config=QUIET,
    )
    return result


def _ends(line: Any) -> list[dg.RunRequest]:
    """What a sensor that has just been started asks for."""
    return list(_tick_night_ends(line).run_requests or [])


def _tick_night_ends(line: Any, *, cursor: str | None = None) -> Any:
    resources = {"dataset_folder": line.defs.resources["dataset_folder"]}
    with dg.build_sensor_context(instance=line.instance, resources=resources, cursor=cursor) as context:
        return night_ends_sensor(NightSettings()).evaluate_tick(context)


def _episodes(line: Any, requests: list[dg.RunRequest]) -> list[str]:
    known = line.instance.get_dynamic_partitions("episodes")
    spans = [
        (known.index(keys.start), known.index(keys.end)) for keys in (each.partition_key_range for each in requests)
    ]
    return [episode for first, last in spans for episode in known[first : last + 1]]


def _whole_night(line: Any, when: datetime) -> dg.ExecuteInProcessResult:
    for request in _night(line, when):
        _run(line, request)
    (request,) = _ends(line)
    return _run(line, request, job="report_night")


def _report(line: Any, asset: str = "nightly_report") -> dict[str, Any]:
    event = line.instance.get_latest_materialization_event(dg.AssetKey(asset))
    return {name: each.value for name, each in event.asset_materialization.metadata.items()}


def test_a_night_takes_what_has_arrived_and_settled(line: Any) -> None:
    line.add("a.mcap", _old(healthy))
    line.add("b.mcap", healthy)
    requests = _night(line, FIRST)
    assert _episodes(line, requests) == ["a.mcap"]
    assert requests[0].tags[NIGHT_TAG] == "2026-03-01"
    assert _run(line, requests[0]).success
    assert _night(line, SECOND) == []
    assert _episodes(line, _night(line, SECOND, settled_after_s=0)) == ["b.mcap"]


def test_what_failed_is_tried_again_only_where_the_reason_may_have_passed(line: Any) -> None:
    for name, build in (("a.mcap", healthy), ("b.mcap", with_black_frames), ("c.mcap", healthy)):
        line.add(name, _old(build))
    for request in _night(line, FIRST):
        _run(line, request)
    refused = read_quarantine(line.dataset, "b.mcap")
    assert not refused.is_passing
    put_quarantine(
        line.dataset,
        QuarantineEntry("c.mcap", "c.mcap", "episode", "The disk is full.", 1, is_passing=True, attempted="x"),
    )
    assert _episodes(line, _night(line, SECOND)) == ["c.mcap"]
    release_for_retry(line.dataset, "b.mcap", now_ns=2)
    assert _episodes(line, _night(line, SECOND)) == ["b.mcap", "c.mcap"]


def test_a_refused_recording_that_changed_is_tried_again(line: Any) -> None:
    line.add("a.mcap", _old(with_black_frames))
    assert not _run(line, *_night(line, FIRST)).success
    assert _night(line, SECOND) == []
    line.add("a.mcap", _old(healthy, settings=Settings(num_frames=20)))
    assert _run(line, *_night(line, SECOND)).success


@pytest.mark.both_databases
def test_a_daemon_killed_between_two_runs_asks_for_the_other_alone(line: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipelines.sensors.ranges, "MAX_EPISODES_PER_RUN", 2)
    for name in ("a.mcap", "b.mcap", "c.mcap"):
        line.add(name, _old(healthy))
    first, second = _night(line, FIRST)
    assert first.run_key != second.run_key
    assert _run(line, first).success
    assert _ends(line) == [], "one of two runs is still to come"
    (again,) = _night(line, FIRST)
    assert (again.run_key, again.tags) == (second.run_key, second.tags)
    assert _run(line, again).success
    assert [request.run_key for request in _ends(line)] == ["2026-03-01"]
    assert _night(line, FIRST) == []


def test_episodes_of_a_run_under_way_are_left_to_it(line: Any) -> None:
    for name in ("a.mcap", "b.mcap", "c.mcap"):
        line.add(name, _old(healthy))
    line.register()
    tags = {"dagster/asset_partition_range_start": "a.mcap", "dagster/asset_partition_range_end": "b.mcap"}
    job = line.defs.resolve_job_def("ingest")
    line.instance.create_run_for_job(job, status=dg.DagsterRunStatus.NOT_STARTED, tags=tags)
    assert _episodes(line, _night(line, FIRST)) == ["c.mcap"]


@pytest.mark.both_databases
@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_night_ends_when_its_last_run_has_and_is_reported_once(line: Any, status: dg.DagsterRunStatus) -> None:
    line.add("a.mcap", _old(healthy))
    assert _ends(line) == [], "no night has begun"
    (request,) = _night(line, FIRST)
    assert _ends(line) == [], "its run is not made yet"
    run = line.instance.create_run_for_job(
        line.defs.resolve_job_def("ingest"), status=status, tags={**request.tags, "dagster/run_key": request.run_key}
    )
    assert _ends(line) == [], "its run has not ended"
    line.instance.report_run_canceled(run)
    (ended,) = _ends(line)
    assert (ended.run_key, ended.tags[NIGHT_TAG]) == ("2026-03-01", "2026-03-01")
    _run(line, ended, job="report_night")
    assert _ends(line) == []


def test_a_night_with_nothing_to_do_ends_at_once_and_nights_are_reported_in_their_order(line: Any) -> None:
    assert _night(line, SECOND) == _night(line, FIRST) == []
    assert [request.run_key for request in _ends(line)] == ["2026-03-01", "2026-03-02"]


def test_a_run_that_never_came_is_given_up_after_a_day(line: Any) -> None:
    now = datetime.now(UTC)
    begin_night(line.instance, "2026-03-01", num_runs=1, now=now - timedelta(hours=23))
    begin_night(line.instance, "2026-03-02", num_runs=1, now=now - timedelta(hours=25))
    assert [request.run_key for request in _ends(line)] == ["2026-03-02"]


def test_a_report_whose_run_was_deleted_is_not_asked_for_again(line: Any) -> None:
    begin_night(line.instance, "2026-03-01", num_runs=0)
    first = _tick_night_ends(line)
    assert len(first.run_requests) == 1
    begin_night(line.instance, "2026-03-02", num_runs=0)
    second = _tick_night_ends(line, cursor=first.cursor)
    assert [request.run_key for request in second.run_requests] == ["2026-03-02"]


def test_the_date_is_that_of_the_deployments_time_zone(line: Any) -> None:
    line.deployment = line.deployment.model_copy(update={"nights": NightSettings(time_zone="Pacific/Auckland")})
    line.add("a.mcap", _old(healthy))
    (request,) = _night(line, datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert request.tags[NIGHT_TAG] == "2026-03-02"


def test_the_report_says_what_came_and_what_was_refused_and_why(line: Any) -> None:
    line.add("a.mcap", _old(healthy))
    line.add("b.mcap", _old(with_black_frames))
    assert _whole_night(line, FIRST).success
    said = _report(line)
    page = said["report"]
    assert "# Night of 2026-03-01" in page
    assert "1 new episode so far" in page
    assert "1 run ingested; 1 ended as failed" in page
    assert re.search(r"\| test\\_arm +\| .*\| 1 +\|", page) or "| episodes |" in page
    assert "frames_black" in page.replace("\\", "")
    assert (said["num_new_episodes"], said["num_newly_refused"], said["num_runs"], said["num_failed_runs"]) == (
        1,
        1,
        1,
        1,
    )
    night = load_night(line.dataset, "2026-03-01")
    assert said["median_skew_ms"] == night.spreads["skew"].median
    assert said["new_stored_bytes"] == night.new.stored_bytes > 0
    assert said["path"] == str(line.dataset.nights_dir / "2026-03-01.json")
    assert _report(line, "snapshot")["snapshot_id"] == night.snapshot_id
    assert _report(line, "dataset_overview")["num_episodes"] == 1


def test_trends_outlive_dagsters_database(line: Any) -> None:
    line.add("a.mcap", _old(healthy))
    _whole_night(line, FIRST)
    line.instance.wipe()
    line.instance.daemon_cursor_storage.set_cursor_values({"bagmill/nights": "{}"})
    line.add("b.mcap", _old(healthy, settings=Settings(num_frames=20)))
    _whole_night(line, SECOND)
    said = _report(line)
    assert (said["compared_with"], said["num_new_episodes"], said["num_episodes"]) == ("2026-03-01", 1, 2)
    assert "1 night before" in said["report"]
    picture = Image.open(io.BytesIO(base64.b64decode(re.search(r"base64,([^)]+)", said["report"])[1])))
    assert picture.format == "PNG"
    assert len(said["report"]) < 50_000


def test_a_night_in_which_everything_was_refused_has_its_report(line: Any) -> None:
    line.add("a.mcap", _old(with_black_frames))
    assert _whole_night(line, FIRST).success
    said = _report(line)
    assert (said["num_new_episodes"], said["num_newly_refused"]) == (0, 1)
    assert "Nothing new." in said["report"]
    assert line.instance.get_latest_materialization_event(dg.AssetKey("snapshot")) is None


def test_what_cannot_be_read_of_earlier_nights_is_said(line: Any) -> None:
    line.add("a.mcap", _old(healthy))
    line.dataset.nights_dir.mkdir(parents=True)
    (line.dataset.nights_dir / "2026-02-28.json").write_text("{")
    assert _whole_night(line, FIRST).success
    assert "2026-02-28.json: holds no night's figures" in _report(line)["report"].replace("\\", "")


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("cron: every night", "expected five fields as of cron, `0 2 * * *` for 02:00, found 'every night'"),
        ("cron: '@daily'", "expected five fields as of cron"),
        ("cron: '61 2 * * *'", "expected five fields as of cron"),
        ("cron: '0 * * * *'", "a night begins once a day: expected a minute and an hour as numbers"),
        ("time_zone: Europe/Berln", "expected the name of a time zone such as Europe/Berlin, found 'Europe/Berln'"),
        ("time_zone: ../etc", "expected the name of a time zone"),
    ],
)
def test_settings_that_are_wrong_are_told_with_their_place(tmp_path: Path, settings: str, said: str) -> None:
    path = tmp_path / "deployment.yaml"
    path.write_text(f"nights: {{{settings}}}\n")
    with pytest.raises(BagmillError) as caught:
        load_deployment(path)
    assert f"{said}" in str(caught.value)
    assert f"@ $.nights.{settings.split(':', maxsplit=1)[0]}" in str(caught.value)


def test_the_deployment_says_when_and_whether_it_starts_by_itself(line: Any) -> None:
    nights = NightSettings(cron="30 3 * * 1-5", time_zone="Europe/Berlin", is_on=True)
    line.deployment = line.deployment.model_copy(update={"nights": nights})
    repository = line.defs.get_repository_def()
    schedule, sensor = repository.get_schedule_def("nightly"), repository.get_sensor_def("night_ends")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 3 * * 1-5", "Europe/Berlin")
    assert schedule.default_status == dg.DefaultScheduleStatus.RUNNING
    assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
    assert nightly_schedule(NightSettings(), settled_after_s=0).default_status == dg.DefaultScheduleStatus.STOPPED


AT_ONCE = {"module": "dagster._core.run_coordinator", "class": "DefaultRunCoordinator"}


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[dg.DagsterInstance, Path]]:
    """An instance, and a deployment that Dagster's own code server loads."""
    home = tmp_path / "dagster"
    home.mkdir()
    (tmp_path / "recordings").mkdir()
    _old(healthy)(tmp_path / "recordings" / "a.mcap")
    _old(with_black_frames)(tmp_path / "recordings" / "b.mcap")
    write_small_profile(tmp_path / "small.yaml")
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text(
        "profiles: [{match: '*', profile: small.yaml}]\nworkers: {processes: 1}\nnights: {is_on: true}\n"
    )
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(deployment))
    monkeypatch.chdir(tmp_path)
    with dg.instance_for_test(temp_dir=str(home), overrides={"run_coordinator": AT_ONCE}) as instance:
        yield instance, tmp_path


@pytest.mark.slow
# Dagster's daemons call what Dagster says is deprecated.
@pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources` is deprecated:DeprecationWarning")
def test_by_dagsters_own_daemons_a_night_ends_though_they_are_restarted(
    served: tuple[dg.DagsterInstance, Path],
) -> None:
    instance, folder = served
    with _workspace(instance) as workspace:
        now = datetime.now(UTC).replace(hour=1, minute=59, second=0, microsecond=0)
        _tick_schedules(workspace, now)  # by which Dagster notes when it began to look
        _tick_schedules(workspace, now + timedelta(minutes=2))
        (run,) = instance.get_runs()
        assert run.tags[NIGHT_TAG] == now.date().isoformat()
    _wait(instance, job="ingest")
    with _workspace(instance) as workspace:  # the daemon, restarted
        _tick_schedules(workspace, now + timedelta(minutes=3))
        _tick_sensors(workspace)
        _wait(instance, job="report_night")
    assert sorted(run.job_name for run in instance.get_runs()) == ["ingest", "report_night"]
    night = load_night(Dataset(folder / "dataset"), now.date().isoformat())
    assert (night.new.num_episodes, night.num_newly_refused) == (1, 1)


def test_a_preview_of_the_nights_tick_changes_nothing_and_what_it_launches_is_reported(
    served: tuple[dg.DagsterInstance, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, folder = served
    cursor = instance.daemon_cursor_storage
    with _workspace(instance) as workspace:
        first = _preview(workspace)
        assert first["runRequests"] == []
        assert "nothing to ingest" in first["skipReason"]
        assert instance.get_dynamic_partitions("episodes") == []
        assert cursor.get_cursor_values({"bagmill/nights"}) == {}
        assert list(folder.joinpath("dataset").rglob("*")) == []
        instance.add_dynamic_partitions("episodes", ["a.mcap", "b.mcap"])
        (request,) = _preview(workspace)["runRequests"]
        assert cursor.get_cursor_values({"bagmill/nights"}) == {}
        assert instance.get_runs_count() == 0
    tags = {tag["key"]: tag["value"] for tag in request["tags"]}
    monkeypatch.setattr(pipelines.nights, "_LAUNCHED_WITHIN_S", -1)
    defs = build_defs(load_deployment())
    job = defs.resolve_job_def("ingest")
    run = instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED, tags=tags)
    assert ended_nights(instance, reported_by="report_night") == []
    instance.report_run_canceled(run)
    assert ended_nights(instance, reported_by="report_night") == [tags[NIGHT_TAG]]


def _preview(workspace: WorkspaceProcessContext) -> dict[str, Any]:
    """What *Preview tick result* of the web UI shows of the schedule `nightly`."""
    asked = """
        mutation($selector: ScheduleSelector!, $timestamp: Float) {
          scheduleDryRun(selectorData: $selector, timestamp: $timestamp) {
            __typename
            ... on DryRunInstigationTick {
              evaluationResult { skipReason error { message } runRequests { runKey tags { key value } } }
            }
          }
        }"""
    context = workspace.create_request_context()
    location = context.code_locations[0]
    names = {
        "repositoryLocationName": location.name,
        "repositoryName": next(iter(location.get_repositories())),
        "scheduleName": "nightly",
    }
    result = create_schema().execute(
        asked, context_value=context, variable_values={"selector": names, "timestamp": time.time()}
    )
    assert not result.errors
    found = result.data["scheduleDryRun"]["evaluationResult"]
    assert found["error"] is None
    return {**found, "runRequests": found["runRequests"] or []}


def _workspace(instance: dg.DagsterInstance) -> WorkspaceProcessContext:
    return WorkspaceProcessContext(instance, WorkspaceFileTarget([str(ROOT / "workspace.yaml")]))


def _tick_schedules(workspace: WorkspaceProcessContext, now: datetime) -> None:
    with ThreadPoolExecutor(1) as pool:
        futures: dict[str, Any] = {}
        errors = list(
            launch_scheduled_runs(
                workspace,
                get_dagster_logger(),
                end_datetime_utc=now,
                iteration_times={},
                threadpool_executor=pool,
                scheduler_run_futures=futures,
            )
        )
        assert [error for error in errors if error] == []
        for future in futures.values():
            future.result()


def _tick_sensors(workspace: WorkspaceProcessContext) -> None:
    errors = list(execute_sensor_iteration(workspace, get_dagster_logger(), None, None))
    assert [error for error in errors if error] == []


def _wait(instance: dg.DagsterInstance, *, job: str) -> None:
    deadline = time.monotonic() + 120
    while True:
        runs = instance.get_runs(dg.RunsFilter(job_name=job))
        if runs and all(run.is_finished for run in runs):
            return
        assert time.monotonic() < deadline
        time.sleep(0.2)
