"""A stranger's page in a real browser tries what browsers let such pages try: on Dagster as it is, and behind the entry."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.support.wait import WebDriverWait

from examples.screenshots import browser
from pipelines.database import prepare
from pipelines.deployment import ROOT
from pipelines.web.dagster_app import dagster_app
from tests.web.conftest import behind, opened

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not shutil.which("chromium") or not shutil.which("chromedriver"), reason="needs Chromium"),
]

PATIENCE_S = 120
NAMES = ("evil.example", "robots.example")
"""All of them this machine: for a browser, a stranger's site may be where it likes."""

DEFINITIONS = """
import dagster as dg

@dg.asset(partitions_def=dg.DynamicPartitionsDefinition(name="episodes"))
def recording() -> None: ...

@dg.asset_check(asset=recording)
def rates() -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed=True)

@dg.op
def start() -> None: ...

@dg.job
def ingest() -> None:
    start()

defs = dg.Definitions(assets=[recording], asset_checks=[rates], jobs=[ingest])
"""

_REPOSITORY = 'repositoryName: "__repository__", repositoryLocationName: "bagmill"'
MUTATIONS = {
    "run": f'mutation {{ launchRun(executionParams: {{selector: {{{_REPOSITORY}, jobName: "ingest"}}}}) {{ __typename }} }}',
    "partition": (
        f'mutation {{ addDynamicPartition(partitionKey: "KEY", partitionsDefName: "episodes", '
        f"repositorySelector: {{{_REPOSITORY}}}) {{ __typename }} }}"
    ),
}
CHECK = "/report_asset_check/recording?check_name=rates&passed=false"

ATTACKS = """
const [target, mutations, check, done] = arguments;
const told = {};
const waits = [];
const wait = (name, start) => waits.push(new Promise((resolve) => {
  const over = (word) => { told[name] ??= word; resolve(); };
  setTimeout(() => over("silent"), 8000);
  start(over);
}));
const element = (name, tag, url) => wait(name, (over) => {
  const it = document.createElement(tag);
  it.onload = () => over("loaded");
  it.onerror = () => over("refused");
  it.src = url;
  document.body.append(it);
});
const fetched = (name, url, options) => wait(name, (over) => fetch(url, options)
  .then(async (answer) => over(answer.type === "opaque" ? "unreadable" : `read ${answer.status} ${await answer.text()}`))
  .catch(() => over("refused")));
const mutation = (what, key) => mutations[what].replace("KEY", key);
const asked = (what, key) => `${target}/graphql?query=` + encodeURIComponent(mutation(what, key));
const body = (what, key) => JSON.stringify({query: mutation(what, key)});
const form = (name, kind, field, value, url) => wait(name, (over) => {
  const frame = document.createElement("iframe");
  frame.name = name;
  frame.onload = () => setTimeout(() => over("sent"), 1500);
  const it = document.createElement("form");
  Object.assign(it, {method: "post", enctype: kind, action: url, target: name});
  const input = document.createElement("input");
  Object.assign(input, {name: field, value});
  it.append(input);
  document.body.append(frame, it);
  it.submit();
});

element("image", "img", asked("run"));
element("script", "script", asked("partition", "script"));
fetched("get", asked("partition", "get"), {mode: "no-cors", credentials: "include"});
fetched("get_to_read", asked("partition", "get_to_read"), {});
fetched("text", `${target}/graphql`, {method: "POST", mode: "no-cors", body: body("partition", "text")});
fetched("empty", asked("partition", "empty"), {method: "POST", mode: "no-cors"});
fetched("json", `${target}/graphql`,
  {method: "POST", headers: {"Content-Type": "application/json"}, body: body("partition", "json")});
fetched("graphql", `${target}/graphql`,
  {method: "POST", headers: {"Content-Type": "application/graphql"}, body: mutation("partition", "graphql")});
fetched("check", target + check, {method: "POST", mode: "no-cors"});
fetched("read", `${target}/server_info`, {});
element("picture", "img", `${target}/favicon.png`);
form("form", "application/x-www-form-urlencoded", "query", mutation("partition", "form"), asked("partition", "form"));
form("plain", "text/plain", '{"query": "' + mutation("partition", "plain").replaceAll('"', '\\\\"') + '", "x": "', '"}',
  `${target}/graphql`);
form("parts", "multipart/form-data", "query", mutation("partition", "parts"), asked("partition", "parts"));
wait("beacon", (over) => {
  navigator.sendBeacon(asked("partition", "beacon"), "x");
  setTimeout(() => over("sent"), 1500);
});
wait("socket", (over) => {
  const socket = new WebSocket(target.replace("http", "ws") + "/graphql", "graphql-ws");
  socket.onopen = () => socket.send(JSON.stringify({type: "connection_init"}));
  socket.onmessage = (message) => over("read " + message.data);
  socket.onerror = () => over("refused");
});
const frame = document.createElement("iframe");
frame.id = "page";
frame.src = `${target}/asset-groups`;
wait("page", (over) => { frame.onload = () => over("sent"); document.body.append(frame); });
Promise.all(waits).then(() => done(told));
"""

OWN = """
const [mutation, run, done] = arguments;
const socket = new WebSocket(location.origin.replace("http", "ws") + "/graphql", "graphql-ws");
const subscription = `subscription { pipelineRunLogs(runId: "${run}") {
  ... on PipelineRunLogsSubscriptionSuccess { messages { __typename } } } }`;
socket.onerror = () => done({error: "the WebSocket was refused"});
socket.onopen = () => {
  socket.send(JSON.stringify({type: "connection_init"}));
  socket.send(JSON.stringify({type: "start", id: "1", payload: {query: subscription}}));
};
socket.onmessage = async (message) => {
  if (JSON.parse(message.data).type !== "data") return;
  const headers = {"Content-Type": "application/json"};
  const answer = await fetch("/graphql", {method: "POST", headers, body: JSON.stringify({query: mutation})});
  done({heard: message.data, status: answer.status, answer: await answer.text()});
};
setTimeout(() => done({error: "nothing was heard"}), 60000);
"""


@dataclass(frozen=True)
class Scene:
    """Dagster as it is and behind the entry, over one instance; and a site of a stranger's."""

    instance: dg.DagsterInstance
    bare: int
    guarded: int
    stranger: int
    driver: WebDriver

    def changes(self) -> dict[str, Any]:
        key = dg.AssetCheckKey(dg.AssetKey("recording"), "rates")
        return {
            "runs": self.instance.get_runs_count(),
            "partitions": set(self.instance.get_dynamic_partitions("episodes")),
            "checks": len(self.instance.event_log_storage.get_asset_check_execution_history(key, limit=100)),
        }

    def attack(self, page: str, target: str) -> dict[str, str]:
        """Everything that the stranger's page tries, and what the page sees of it."""
        self.driver.get(page)
        told: dict[str, str] = self.driver.execute_async_script(ATTACKS, target, MUTATIONS, CHECK)
        frame = self.driver.find_element(By.ID, "page")
        self.driver.switch_to.frame(frame)
        told["page"] = self.driver.execute_script("return document.URL + document.body.innerText")
        self.driver.switch_to.default_content()
        return told


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    home = tmp_path / "dagster"
    home.mkdir()
    shutil.copy(ROOT / "pipelines" / "dagster.yaml", home)
    (tmp_path / "definitions.py").write_text(DEFINITIONS)
    target = {"relative_path": "definitions.py", "location_name": "bagmill"}
    workspace = tmp_path / "workspace.yaml"
    workspace.write_text(yaml.safe_dump({"load_from": [{"python_file": target}]}))
    monkeypatch.setenv("DAGSTER_HOME", str(home))
    prepare()
    rules = ",".join(f"MAP {name} 127.0.0.1" for name in NAMES)
    with (
        dg.DagsterInstance.get() as instance,
        dagster_app(workspace, is_read_only=False) as app,
        opened(app) as bare,
        opened(behind(app)) as guarded,
        _site_of_a_stranger() as stranger,
        browser(f"--host-resolver-rules={rules}") as driver,
    ):
        driver.set_script_timeout(PATIENCE_S)
        yield Scene(instance, bare.port, guarded.port, stranger, driver)


def test_a_page_of_a_stranger_s(scene: Scene) -> None:
    # Dagster as it is: this is what the entry is for.
    before = scene.changes()
    evil = f"http://evil.example:{scene.stranger}"
    told = scene.attack(evil, f"http://127.0.0.1:{scene.bare}")
    after = scene.changes()
    assert after["runs"] > before["runs"]
    assert after["partitions"] >= {"script", "get", "get_to_read", "empty", "form", "parts", "beacon"}
    assert after["checks"] > before["checks"]
    assert told["socket"] == 'read {"type":"connection_ack"}'
    assert told["picture"] == "loaded"
    assert f"http://127.0.0.1:{scene.bare}/asset-groups" in told["page"]

    # The same, behind the entry: by a site of another name, by another port of this machine, and where no `Sec-Fetch-Site` is
    # sent, for a browser only sends it to whom it trusts.
    own = f"http://127.0.0.1:{scene.guarded}"
    for page, target in (
        (evil, own),
        (f"http://127.0.0.1:{scene.stranger}", own),
        (evil, f"http://robots.example:{scene.guarded}"),
    ):
        told = scene.attack(page, target)
        assert scene.changes() == after, page
        for name in ("image", "script", "get_to_read", "json", "graphql", "read", "picture", "socket"):
            assert told[name] == "refused", (page, target, name)
        assert {told[name] for name in ("get", "text", "empty", "check")} <= {"refused", "unreadable"}
        assert told["page"].startswith("chrome-error://"), "it is shown in no frame"

    _rebind(scene)
    assert scene.changes() == after
    _use_it(scene, own)
    _use_it(scene, f"http://robots.example:{scene.guarded}")


def _rebind(scene: Scene) -> None:
    """A stranger's name that has come to mean this machine: its pages are of one origin with what answers there."""
    scene.driver.get(f"http://evil.example:{scene.guarded}/graphql")
    assert "does not answer to the name evil.example" in scene.driver.find_element(By.TAG_NAME, "body").text
    query = json.dumps({"query": MUTATIONS["partition"].replace("KEY", "rebound")})
    script = """
    const [body, done] = arguments;
    fetch("/graphql", {method: "POST", headers: {"Content-Type": "application/json"}, body})
      .then((answer) => done(answer.status)).catch((error) => done(String(error)));
    """
    # The page that refused it lets nothing be fetched; the stranger's own would.
    scene.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": True})
    scene.driver.refresh()
    assert scene.driver.execute_async_script(script, query) == 421
    scene.driver.execute_cdp_cmd("Page.setBypassCSP", {"enabled": False})


def _use_it(scene: Scene, address: str) -> None:
    """What people do goes on as ever: pages, a change, and what a page listens to."""
    scene.driver.get(f"{address}/asset-groups")
    WebDriverWait(scene.driver, PATIENCE_S).until(
        lambda driver: driver.find_elements(By.XPATH, "//*[text()='recording']")
    )
    key = address.split("/")[2]
    run_id = scene.instance.get_run_ids(limit=1)[0]
    told = scene.driver.execute_async_script(OWN, MUTATIONS["partition"].replace("KEY", key), run_id)
    assert "error" not in told
    assert "messages" in told["heard"]
    assert told["status"] == 200
    assert "AddDynamicPartitionSuccess" in told["answer"]
    assert key in scene.instance.get_dynamic_partitions("episodes")


@contextmanager
def _site_of_a_stranger() -> Iterator[int]:
    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<!doctype html><title>A stranger's</title><body>")

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
