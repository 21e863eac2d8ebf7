"""What is killed while it works: nothing is lost, nothing is made twice, nothing is half published.

Every process is real: Dagster's daemon and web server, the code servers they start, and the run workers of those. A test takes
half a minute or more, most of it Dagster's starts, so all are marked slow.
"""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from tests.deployed import STAGES, Deployed, deployed, wait_for
from tests.postgres import running_server, why_not

EPISODES = [f"e{number:02d}.mcap" for number in range(14)]


@pytest.fixture
def url(database: Callable[[], dict[str, Any] | None]) -> str | None:
    """Of a database of one's own; None for SQLite."""
    settings = database()
    return None if settings is None else str(settings["storage"]["custom"]["config"]["postgres_url"])


def _launch(service: Deployed) -> str:
    """Start everything, and a backfill over all episodes; return once it has published some of them, and not all."""
    service.add(EPISODES)
    service.start("daemon")
    service.start("webserver")
    backfill = service.web.launch_backfill(list(STAGES), EPISODES)
    wait_for(lambda: len(service.published()) >= 3, "the first episodes", pause_s=0.02)
    assert len(service.published()) < len(EPISODES)
    return backfill


@pytest.mark.slow
def test_a_run_worker_that_is_killed_is_followed_by_another(tmp_path: Path) -> None:
    with deployed(tmp_path) as service:
        backfill = _launch(service)
        os.kill(service.worker(), signal.SIGKILL)
        assert len(service.published()) < len(EPISODES)
        assert service.finish(backfill) == "COMPLETED_SUCCESS"
        service.assert_whole(EPISODES)
        with service.instance() as instance:
            statuses = [run.status for run in instance.get_runs()]
        assert statuses == [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]


@pytest.mark.slow
@pytest.mark.both_databases
def test_after_a_power_cut_the_backfill_goes_on(tmp_path: Path, url: str | None) -> None:
    with deployed(tmp_path, postgres_url=url) as service:
        backfill = _launch(service)
        service.kill_all()
        assert len(service.published()) < len(EPISODES)
        service.start("daemon")
        service.start("webserver")
        assert service.finish(backfill) == "COMPLETED_SUCCESS"
        service.assert_whole(EPISODES)


@pytest.mark.slow
@pytest.mark.both_databases
@pytest.mark.parametrize("moment", ["registered", "queued"])
def test_a_daemon_killed_in_the_middle_of_a_tick(tmp_path: Path, url: str | None, moment: str) -> None:
    arrivals = {"is_on": True, "settled_after_s": 0}
    with deployed(tmp_path, postgres_url=url, arrivals=arrivals) as service:
        service.add(EPISODES, is_registered=False)

        def is_at(moment: str) -> bool:
            with service.instance() as instance:
                if moment == "queued":
                    return instance.get_runs_count() > 0
                return len(instance.get_dynamic_partitions("episodes")) > 0

        service.start("daemon")
        wait_for(lambda: is_at(moment), moment, pause_s=0.005)
        service.kill("daemon")
        service.start("daemon")
        wait_for(lambda: service.published() == set(EPISODES), "all episodes")
        wait_for(lambda: _is_idle(service), "the end of all runs", pause_s=0.5)
        service.assert_whole(EPISODES)


@pytest.mark.slow
def test_a_web_server_that_is_killed_and_started_again(tmp_path: Path) -> None:
    with deployed(tmp_path) as service:
        backfill = _launch(service)
        service.kill("webserver")
        service.start("webserver")
        assert service.finish(backfill) == "COMPLETED_SUCCESS"
        service.assert_whole(EPISODES)
        assert service.web.partition_stats("episode")["numMaterialized"] == len(EPISODES)


@pytest.mark.slow
@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
@pytest.mark.parametrize("seconds", [0.0, 15.0])
def test_a_database_that_crashes_in_the_middle_of_a_run(tmp_path: Path, seconds: float) -> None:
    with (
        running_server(fsync="on", full_page_writes="on") as server,
        deployed(tmp_path, postgres_url=server.url(server.create_database())) as service,
    ):
        backfill = _launch(service)
        server.stop(is_crash=True)
        threading.Event().wait(seconds)
        server.start()
        assert service.finish(backfill) == "COMPLETED_SUCCESS"
        service.assert_whole(EPISODES)
        with service.instance() as instance:
            assert [run.status for run in instance.get_runs()] == [dg.DagsterRunStatus.SUCCESS]
        assert service.processes["daemon"].poll() is None
        assert service.processes["webserver"].poll() is None


def _is_idle(service: Deployed) -> bool:
    under_way = [status for status in dg.DagsterRunStatus if status.name in ("QUEUED", "STARTING", "STARTED")]
    with service.instance() as instance:
        return instance.get_runs_count(dg.RunsFilter(statuses=under_way)) == 0
