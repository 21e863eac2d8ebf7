"""A deployment as it runs for years, to be hurt: daemon, web server, code servers and run workers as processes of their own."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.error import URLError

import dagster as dg
import yaml
from dagster._core.event_api import PartitionKeyFilter

from bagmill.dataset import Dataset
from bagmill.episodes import verify_episode
from bagmill.quality import METRICS
from bagmill.testing import Settings, healthy, small_profile
from benchmarks.fleet.service import Service
from pipelines.deployment import ROOT

PATIENCE_S = 150
STAGES = ("recording", "timeline", "episode")
"""What is made: films cost most of the time and are published by the same means."""
_MODULES = {
    "daemon": ["dagster._daemon", "run", "-w", "workspace.yaml"],
    "webserver": ["pipelines.web", "--port"],
}


@dataclass
class Deployed:
    """Everything below one folder; processes are started and killed by name."""

    folder: Path
    env: dict[str, str]
    port: int
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    sessions: list[int] = field(default_factory=list)

    @property
    def web(self) -> Service:
        return Service(f"http://127.0.0.1:{self.port}", 0)

    @property
    def dataset(self) -> Dataset:
        return Dataset(self.folder / "dataset")

    def start(self, name: str) -> None:
        """Start `daemon` or `webserver`; the latter answers when this returns."""
        module, *arguments = _MODULES[name]
        more = [str(self.port)] if name == "webserver" else []
        with (self.folder / f"{name}.log").open("ab") as log:
            self.processes[name] = subprocess.Popen(
                [sys.executable, "-m", module, *arguments, *more],
                cwd=ROOT,
                env=os.environ | self.env,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.sessions.append(self.processes[name].pid)
        if name == "webserver":
            wait_for(self.answers, "the web server's answer")

    def kill(self, name: str) -> None:
        """End one process, as the kernel does when memory is short; what it had started goes on."""
        process = self.processes.pop(name)
        process.kill()
        process.wait()

    def kill_all(self) -> None:
        """End every process there is, as a power cut does."""
        for pid in of_sessions(self.sessions):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for process in self.processes.values():
            process.wait()
        self.processes.clear()
        wait_for(lambda: not of_sessions(self.sessions), "the end of all processes")

    def answers(self) -> bool:
        with suppress(URLError, ConnectionError, TimeoutError):
            return "version" in self.web.query("{ version }")
        return False

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's instance, opened as a process of the deployment opens it."""
        before = {name: os.environ.get(name) for name in self.env}
        os.environ.update(self.env)
        try:
            with dg.DagsterInstance.get() as instance:
                yield instance
        finally:
            for name, value in before.items():
                os.environ.pop(name) if value is None else os.environ.update({name: value})

    def add(self, names: Sequence[str], *, is_registered: bool = True) -> None:
        """Lay down recordings, no two alike."""
        for number, name in enumerate(names):
            healthy(self.folder / "recordings" / name, settings=Settings(num_frames=20 + number))
        if is_registered:
            with self.instance() as instance:
                instance.add_dynamic_partitions("episodes", list(names))

    def published(self) -> set[str]:
        """Episodes with a published version."""
        folder = self.dataset.episodes_dir
        return {path.name for path in folder.iterdir() if list(path.glob("*.zarr"))} if folder.is_dir() else set()

    def worker(self) -> int:
        """The process of the run that began last, once it has one."""
        found: list[int] = []

        def look() -> bool:
            with self.instance() as instance:
                for run in instance.get_runs(limit=1):
                    said = instance.all_logs(run.run_id, of_type=dg.DagsterEventType.ENGINE_EVENT)
                    starts = (re.match(r"Started process for run \(pid: (\d+)\)", entry.message) for entry in said)
                    found.extend(int(match[1]) for match in starts if match)
            return bool(found)

        wait_for(look, "a run's process", pause_s=0.5)
        return found[0]

    def finish(self, backfill: str) -> str:
        """Wait for the end of a backfill, and give its status."""
        done = {"COMPLETED_SUCCESS", "COMPLETED_FAILED", "FAILED", "CANCELED", "COMPLETED"}
        wait_for(lambda: self.web.backfill_status(backfill) in done, "the backfill's end", pause_s=1)
        return self.web.backfill_status(backfill)

    def assert_whole(self, episodes: Sequence[str]) -> None:
        """Nothing is lost, nothing was made twice, nothing is half published; and Dagster knows."""
        assert self.published() == set(episodes)
        versions = {name: list((self.dataset.episodes_dir / name).iterdir()) for name in episodes}
        assert {name: len(paths) for name, paths in versions.items()} == dict.fromkeys(episodes, 1)
        assert [path for paths in versions.values() for path in paths if not verify_episode(path).is_whole] == []
        with self.instance() as instance, dg.partition_loading_context(dynamic_partitions_store=instance):
            assert sorted(instance.get_dynamic_partitions("episodes")) == sorted(episodes)
            for stage in STAGES:
                assert set(instance.get_materialized_partitions(dg.AssetKey(stage))) == set(episodes), stage
            told = instance.fetch_materializations(dg.AssetKey("episode"), limit=1000).records
            made = [
                str(each.partition_key)
                for each in told
                if each.asset_materialization and not each.asset_materialization.metadata["is_reused"].value
            ]
            assert sorted(set(made)) == sorted(made)
            for name in (name for name in METRICS if METRICS[name].stage in STAGES):
                key = dg.AssetCheckKey(dg.AssetKey(METRICS[name].stage), name)
                latest = {
                    episode: instance.event_log_storage.get_asset_check_execution_history(
                        key, limit=1, partition_filter=PartitionKeyFilter(key=episode)
                    )[0].status.value
                    for episode in episodes
                }
                assert latest == dict.fromkeys(episodes, "SUCCEEDED"), name
            assert not instance.get_runs_count(dg.RunsFilter(statuses=_UNDER_WAY))


_UNDER_WAY = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]


@contextmanager
def deployed(folder: Path, *, postgres_url: str | None = None, **settings: Any) -> Iterator[Deployed]:
    """A deployment with the project's own `dagster.yaml`, but for how often it looks after its runs; nothing is started.

    Args:
        folder: Empty.
        postgres_url: None: the embedded default.
        settings: Of the deployment's file.
    """
    home = folder / "dagster"
    home.mkdir()
    (folder / "recordings").mkdir()
    (folder / "profile.yaml").write_text(yaml.safe_dump(small_profile() | {"preview": {"enabled": False}}))
    choice = {"profiles": [{"match": "*", "profile": "profile.yaml"}], "workers": {"processes": 1}}
    (folder / "deployment.yaml").write_text(yaml.safe_dump(choice | settings))
    example = ROOT / "pipelines" / ("dagster.yaml" if postgres_url is None else "dagster.postgres.yaml")
    text = example.read_text()
    assert "poll_interval_seconds: 30" in text
    (home / "dagster.yaml").write_text(text.replace("poll_interval_seconds: 30", "poll_interval_seconds: 2"))
    env = {"DAGSTER_HOME": str(home), "BAGMILL_DEPLOYMENT": str(folder / "deployment.yaml")}
    if postgres_url is not None:
        env["BAGMILL_POSTGRES_URL"] = postgres_url
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    made = Deployed(folder, env, port)
    try:
        yield made
    finally:
        made.kill_all()


def wait_for(condition: Callable[[], object], what: str, *, pause_s: float = 0.1) -> None:
    """Look until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"waited {PATIENCE_S} s in vain for {what}"
        time.sleep(pause_s)


def of_sessions(sessions: Sequence[int]) -> list[int]:
    """Living processes that began in one of these sessions."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, session, *_ = stat.read_text().rpartition(")")[2].split()
            if int(session) in sessions and state != "Z":
                found.append(int(stat.parent.name))
    return found
