"""*Reload* in the web UI, under the services as their units start them, takes what has changed and ends no run."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import dagster as dg
import pytest

from pipelines.database import prepare
from pipelines.deployment import ROOT
from tests.units import UNITS, commands_of

PATIENCE_S = 180
RELOAD = """mutation { reloadRepositoryLocation(repositoryLocationName: "bagmill") {
  __typename ... on WorkspaceLocationEntry { locationOrLoadError { __typename ... on PythonError { message } } } } }"""
LAUNCH = """mutation { launchRun(executionParams: {selector: {jobName: "slow", repositoryName: "__repository__",
  repositoryLocationName: "bagmill"}}) { __typename ... on LaunchRunSuccess { run { runId } } } }"""
SCHEDULE = """{ scheduleOrError(scheduleSelector: {scheduleName: "nightly", repositoryName: "__repository__",
  repositoryLocationName: "bagmill"}) { ... on Schedule { cronSchedule } } }"""


def ask(address: str, query: str) -> dict[str, Any]:
    body = json.dumps({"query": query}).encode()
    request = Request(f"{address}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310
    with urlopen(request, timeout=120) as answer:  # noqa: S310 - our own server
        content: dict[str, Any] = json.load(answer)
    assert "errors" not in content
    return dict(content["data"])


def wait_for(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            if condition():
                return
        except (URLError, ConnectionError, TimeoutError):
            pass
        assert time.monotonic() < deadline, f"waited in vain for {what}"
        time.sleep(0.2)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "dagster").mkdir()
    shutil.copy(ROOT / "pipelines" / "dagster.yaml", tmp_path / "dagster")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(tmp_path / "deployment.yaml"))
    (tmp_path / "deployment.yaml").write_text("{}")
    return tmp_path


@contextmanager
def running(*commands: list[str], log: Path) -> Iterator[None]:
    with log.open("wb") as file:
        processes = [subprocess.Popen(each, cwd=ROOT, stdout=file, stderr=subprocess.STDOUT) for each in commands]
    try:
        yield
    except BaseException as err:
        err.add_note(log.read_text(errors="replace")[-3000:])
        raise
    finally:
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(60)


def address_in(log: Path) -> str:
    found: list[str] = []

    def look() -> bool:
        found.extend(re.findall(r"Dagster's web UI at (\S+);", log.read_text(errors="replace")))
        return bool(found)

    wait_for(look, "the web UI's address")
    return found[0]


SLOW = """
import os, time
from pathlib import Path
import dagster as dg

FOLDER = Path(os.environ["BAGMILL_DEPLOYMENT"]).parent

@dg.op
def wait() -> None:
    (FOLDER / "started").touch()
    while not (FOLDER / "go_on").exists():
        time.sleep(0.1)

@dg.job
def slow() -> None:
    wait()

@dg.schedule(job=slow, cron_schedule=(FOLDER / "cron").read_text())
def nightly() -> dict:
    return {}

defs = dg.Definitions(jobs=[slow], schedules=[nightly], executor=dg.in_process_executor)
"""


@pytest.mark.slow
def test_it_ends_no_run(folder: Path) -> None:
    """The definitions are the test's: a run that takes as long as it should, and a schedule whose hour stands in a file."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    (folder / "slow.py").write_text(SLOW)
    (folder / "cron").write_text("0 2 * * *")
    workspace = folder / "workspace.yaml"
    workspace.write_text((UNITS / "workspace.yaml").read_text().replace("4000", port))
    changes = {"/etc/bagmill/workspace.yaml": str(workspace), "pipelines/definitions.py": str(folder / "slow.py")}
    changes |= {"4000": port, "/opt/bagmill": str(folder)}
    commands = [commands_of(unit, changes)[-1] for unit in ("code", "daemon", "webserver")]
    prepare()
    log = folder / "services.log"
    with running(*commands, log=log), dg.DagsterInstance.get() as instance:
        address = address_in(log)
        wait_for(
            lambda: ask(address, SCHEDULE)["scheduleOrError"].get("cronSchedule") == "0 2 * * *", "the definitions"
        )
        run_id = ask(address, LAUNCH)["launchRun"]["run"]["runId"]
        wait_for((folder / "started").exists, "the run's start")
        (folder / "cron").write_text("30 4 * * *")
        assert (
            ask(address, RELOAD)["reloadRepositoryLocation"]["locationOrLoadError"]["__typename"]
            == "RepositoryLocation"
        )
        assert ask(address, SCHEDULE)["scheduleOrError"]["cronSchedule"] == "30 4 * * *"
        time.sleep(2)
        run = instance.get_run_by_id(run_id)
        assert run is not None
        assert run.status is dg.DagsterRunStatus.STARTED
        (folder / "go_on").touch()

        def is_over() -> bool:
            ended = instance.get_run_by_id(run_id)
            return ended is not None and ended.is_finished

        wait_for(is_over, "the run's end")
        ended = instance.get_run_by_id(run_id)
        assert ended is not None
        assert ended.is_success
