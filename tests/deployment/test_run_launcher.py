"""Whether a run's process is still there: a living one, a dead one, and another that was given its number."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.events import EngineEventData
from dagster._core.launcher import WorkerStatus

from pipelines.deployment import ROOT
from pipelines.run_launcher import WatchedRunLauncher


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    launcher = {"module": "pipelines.run_launcher", "class": "WatchedRunLauncher"}
    with dg.instance_for_test(temp_dir=str(tmp_path), overrides={"run_launcher": launcher}) as instance:
        assert isinstance(instance.run_launcher, WatchedRunLauncher)
        yield instance


@pytest.fixture
def run(instance: dg.DagsterInstance) -> dg.DagsterRun:
    return instance.create_run_for_job(dg.job(_nothing), status=dg.DagsterRunStatus.STARTED)


def _nothing() -> None:
    pass


def _status(instance: dg.DagsterInstance, run: dg.DagsterRun) -> WorkerStatus:
    status: WorkerStatus = instance.run_launcher.check_run_worker_health(run).status
    return status


def _say(instance: dg.DagsterInstance, run: dg.DagsterRun, pid: int, text: str = "Started process for run") -> None:
    instance.report_engine_event(f"{text} (pid: {pid}).", run, EngineEventData.in_process(pid))


@pytest.mark.parametrize("text", ["Started process for run", "Executing steps in process"])
def test_a_run_lives_as_long_as_its_process(instance: dg.DagsterInstance, run: dg.DagsterRun, text: str) -> None:
    assert _status(instance, run) == WorkerStatus.RUNNING  # it has not said yet
    process = subprocess.Popen(["sleep", "60"])
    _say(instance, run, process.pid, text)
    assert _status(instance, run) == WorkerStatus.RUNNING
    process.kill()
    while Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z":
        time.sleep(0.01)
    assert _status(instance, run) == WorkerStatus.NOT_FOUND  # dead, and nobody has asked how it ended
    process.wait()
    assert _status(instance, run) == WorkerStatus.NOT_FOUND


def test_another_process_with_the_number_is_not_the_runs(
    instance: dg.DagsterInstance, run: dg.DagsterRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now - 3600)  # the run said so an hour before that process began
    process = subprocess.Popen(["sleep", "60"])
    _say(instance, run, process.pid)
    monkeypatch.undo()
    assert _status(instance, run) == WorkerStatus.NOT_FOUND
    process.kill()
    process.wait()


@pytest.mark.parametrize("name", ["dagster.yaml", "dagster.postgres.yaml"])
def test_the_examples_watch_their_runs(name: str) -> None:
    text: Any = (ROOT / "pipelines" / name).read_text()
    assert "class: WatchedRunLauncher" in text
    assert "retry_on_asset_or_op_failure: false" in text
