"""Servers behind the entry, in threads of the test, and requests as they are sent: byte by byte."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import dagster as dg
import pytest
from starlette.types import ASGIApp

from pipelines.database import prepare
from pipelines.deployment import ROOT
from pipelines.web.dagster_app import dagster_app
from pipelines.web.doors import Doors
from pipelines.web.guard import Guard
from pipelines.web.names import Names
from pipelines.web.serving import listen, make_server


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True)
class Door:
    """A server that listens at a port."""

    port: int

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def say(self, request: bytes) -> Answer:
        """Send bytes, and read all of what comes back."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as connection:
            connection.sendall(request)
            got = b""
            while not _is_whole(got) and (chunk := connection.recv(65536)):
                got += chunk
        head, _, body = got.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers: dict[str, str] = {}
        for name, _, value in (line.partition(": ") for line in lines):
            headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
        return Answer(int(first.split()[1]) if first else 0, headers, body.decode(errors="replace"))

    def ask(self, method: str, path: str, *headers: str, body: str | bytes = b"", host: str | None = None) -> Answer:
        """A request with these headers, and a body where there is one."""
        body = body.encode() if isinstance(body, str) else body
        lines = [f"{method} {path} HTTP/1.1", f"Host: {host or self.host}", *headers, "Connection: close"]
        if body or method == "POST":
            lines.append(f"Content-Length: {len(body)}")
        return self.say("\r\n".join([*lines, "", ""]).encode("latin-1") + body)

    def graphql(self, query: str, *headers: str, **variables: Any) -> Answer:
        """As a program asks."""
        body = json.dumps({"query": query, "variables": variables})
        return self.ask("POST", "/graphql", "Content-Type: application/json", *headers, body=body)


def _is_whole(got: bytes) -> bool:
    """Whether an answer that leads to a WebSocket is there: such a connection stays open."""
    return got.startswith(b"HTTP/1.1 101") and b"\r\n\r\n" in got


@contextmanager
def opened(app: ASGIApp) -> Iterator[Door]:
    """An application behind a port, served as the programs serve it."""
    server = make_server(app, has_websockets=True)
    with listen("127.0.0.1", 0, settings="web") as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Door(listener.getsockname()[1])
        finally:
            server.should_exit = True
            thread.join()


@dataclass(frozen=True)
class House:
    """Dagster's own web application over an empty instance, behind two doors."""

    instance: dg.DagsterInstance
    open: Door
    read_only: Door

    def told(self) -> dict[str, object]:
        """Everything that a stranger may not have changed."""
        return {
            "runs": self.instance.get_runs_count(),
            "backfills": len(self.instance.get_backfills()),
            "partitions": self.instance.get_dynamic_partitions("episodes"),
            "checks": len(
                self.instance.event_log_storage.get_asset_check_execution_history(
                    dg.AssetCheckKey(dg.AssetKey("recording"), "rates"), limit=10
                )
            ),
            "materialised": len(self.instance.fetch_materializations(dg.AssetKey("recording"), limit=10).records),
            "sensors": [state.status for state in self.instance.all_instigator_state()],
            "limits": sorted(self.instance.event_log_storage.get_concurrency_keys()),
        }


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("house")
    home = folder / "dagster"
    home.mkdir()
    shutil.copy(ROOT / "pipelines" / "dagster.yaml", home)
    workspace = folder / "workspace.yaml"
    workspace.write_text("load_from: []")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(home))
        prepare()
        with (
            dg.DagsterInstance.get() as instance,
            dagster_app(workspace, is_read_only=False) as app,
            dagster_app(workspace, is_read_only=True) as shown,
            opened(behind(app)) as door,
            opened(behind(shown, is_read_only=True)) as read_only,
        ):
            yield House(instance, door, read_only)


def behind(app: ASGIApp, *, is_read_only: bool = False) -> ASGIApp:
    names = Names.of(["Robots.Example"], listens_at="127.0.0.1", urls=["https://look.example/dagster"])
    return Guard(Doors(app, is_read_only=is_read_only), names, takes_posts=True)


@pytest.fixture
def unchanged(house: House) -> Iterator[Callable[[], None]]:
    """Nothing that Dagster knows has changed by the end of a test, nor where it is asked in between."""
    before = house.told()

    def check() -> None:
        assert house.told() == before

    yield check
    check()
