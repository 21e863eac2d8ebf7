"""A deployment as it runs for years: Dagster's daemon and web server as processes of their own, asked through GraphQL."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.error import URLError
from urllib.request import Request, urlopen

_ROOT: Final = Path(__file__).resolve().parents[2]
_POLL_S: Final = 1.0
_END_S: Final = 30.0
_START_S: Final = 120
_REPOSITORY: Final = {"repositoryLocationName": "bagmill", "repositoryName": "__repository__"}


@dataclass(frozen=True, slots=True)
class Service:
    """What runs.

    Args:
        address: Of the web server.
        daemon: Process id.
    """

    address: str
    daemon: int

    def query(self, text: str, **variables: object) -> dict[str, Any]:
        """What GraphQL answers.

        Raises:
            RuntimeError: It answers with an error.
        """
        body = json.dumps({"query": text, "variables": variables}).encode()
        request = Request(f"{self.address}/graphql", body, {"Content-Type": "application/json"})  # noqa: S310 - our own server
        with urlopen(request, timeout=600) as answer:  # noqa: S310
            content = json.load(answer)
        if content.get("errors"):
            raise RuntimeError(f"GraphQL: {content['errors'][0]['message']}")
        data: dict[str, Any] = content["data"]
        return data

    def switch_on(self, sensor: str) -> None:
        """Start a sensor, as its switch in the web UI does."""
        selector = {**_REPOSITORY, "sensorName": sensor}
        answer = self.query(
            "mutation ($selector: SensorSelector!) { startSensor(sensorSelector: $selector) { __typename } }",
            selector=selector,
        )
        if answer["startSensor"]["__typename"] != "Sensor":
            raise RuntimeError(f"the sensor {sensor} cannot be switched on: {answer}")

    def ticks(self, sensor: str) -> list[dict[str, Any]]:
        """The sensor's ended ticks, oldest first: status, seconds, partitions added."""
        answer = self.query(
            "query ($selector: SensorSelector!) { sensorOrError(sensorSelector: $selector) { ... on Sensor { sensorState "
            "{ ticks(limit: 1000) { status timestamp endTimestamp dynamicPartitionsRequestResults { partitionKeys } } } } } }",
            selector={**_REPOSITORY, "sensorName": sensor},
        )
        return [
            {
                "status": tick["status"],
                "seconds": tick["endTimestamp"] - tick["timestamp"],
                "num_added": sum(len(each["partitionKeys"] or ()) for each in tick["dynamicPartitionsRequestResults"]),
                "ended_s": tick["endTimestamp"],
            }
            for tick in reversed(answer["sensorOrError"]["sensorState"]["ticks"])
            if tick["endTimestamp"] is not None
        ]

    def partition_stats(self, asset: str) -> dict[str, int]:
        """How many partitions an asset has, by state, as its page counts them."""
        answer = self.query(
            "query ($key: AssetKeyInput!) { assetNodeOrError(assetKey: $key) { ... on AssetNode { partitionStats "
            "{ numPartitions numMaterialized numFailed } } } }",
            key={"path": [asset]},
        )
        stats: dict[str, int] = answer["assetNodeOrError"]["partitionStats"]
        return stats

    def launch_backfill(self, assets: list[str], partitions: list[str]) -> str:
        """Launch a backfill as the web UI's dialog does, and give its id."""
        answer = self.query(
            "mutation ($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) "
            "{ __typename ... on LaunchBackfillSuccess { backfillId } ... on PythonError { message } } }",
            params={"assetSelection": [{"path": [asset]} for asset in assets], "partitionNames": partitions},
        )["launchPartitionBackfill"]
        if "backfillId" not in answer:
            raise RuntimeError(f"the backfill was not launched: {answer}")
        return str(answer["backfillId"])

    def backfill_status(self, backfill: str) -> str:
        """As the backfills' page names it."""
        answer = self.query(
            "query ($id: String!) { partitionBackfillOrError(backfillId: $id) { ... on PartitionBackfill { status } } }",
            id=backfill,
        )
        return str(answer["partitionBackfillOrError"]["status"])

    def daemon_mib(self) -> tuple[float, float]:
        """Memory of the daemon's own process: now, and the most so far, MiB."""
        return _status_mib(self.daemon, "VmRSS"), _status_mib(self.daemon, "VmHWM")


@contextmanager
def serve(home: Path, settings: Path) -> Iterator[Service]:
    """Start daemon and web server over an instance, and end both.

    Args:
        home: Dagster's, with its `dagster.yaml`.
        settings: The deployment's file.

    Raises:
        RuntimeError: One of them ended, or the web server did not answer in time; its last words are in the message.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = str(probe.getsockname()[1])
    env = os.environ | {"DAGSTER_HOME": str(home), "BAGMILL_DEPLOYMENT": str(settings)}
    commands = {
        "daemon": ["dagster._daemon", "run", "-w", "workspace.yaml"],
        "webserver": ["pipelines.web", "--port", port],
    }
    subprocess.run([sys.executable, "-m", "pipelines.database"], cwd=_ROOT, env=env, check=True)
    processes: dict[str, subprocess.Popen[bytes]] = {}
    try:
        for name, (module, *arguments) in commands.items():
            with (home / f"{name}.log").open("wb") as log:
                processes[name] = subprocess.Popen(
                    [sys.executable, "-m", module, *arguments], cwd=_ROOT, env=env, stdout=log, stderr=subprocess.STDOUT
                )
        service = Service(f"http://127.0.0.1:{port}", processes["daemon"].pid)
        wait_for(lambda: _answers(service, processes, home), seconds=_START_S, what="an answer of the web server")
        yield service
    finally:
        for process in processes.values():
            process.terminate()
        for process in processes.values():
            try:
                process.wait(timeout=_END_S)
            except subprocess.TimeoutExpired:
                # The web server waits for browsers that are connected.
                process.kill()
                process.wait()


def wait_for(condition: Callable[[], object], *, seconds: float, what: str) -> None:
    """Look every second until something is so.

    Raises:
        RuntimeError: It was not, in time.
    """
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(f"waited {seconds:g} s in vain for {what}")
        time.sleep(_POLL_S)


def _answers(service: Service, processes: Mapping[str, subprocess.Popen[bytes]], home: Path) -> bool:
    for name, process in processes.items():
        if process.poll() is not None:
            raise RuntimeError(f"the {name} ended:\n{(home / f'{name}.log').read_text(errors='replace')[-2000:]}")
    with suppress(URLError, ConnectionError, TimeoutError):
        return "version" in service.query("{ version }")
    return False


def _status_mib(pid: int, field: str) -> float:
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith(f"{field}:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no {field}: it ended")
