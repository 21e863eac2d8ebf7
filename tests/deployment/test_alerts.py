"""Alerts: what is said of a run, to a real server that answers, fails, hangs or is not there."""

from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from bagmill.deployment import AlertSettings, Deployment
from bagmill.errors import SettingsError
from bagmill.testing import healthy, with_black_frames, with_missing_channel
from pipelines.definitions import build_defs
from pipelines.deployment import load_deployment
from pipelines.sensors.alerts import failed_checks_sensor, failed_runs_sensor
from resources.alerts import MOST_LISTED, Alert, AlertError, AlertLine, LogSink, WebhookSink
from tests.alert_receiver import Receiver

LINE = AlertLine("a.mcap", "episode", "the frames are black.", "look at the lens")
ALERT = Alert.of("episodes_refused", "1 of 2 episodes.", run_id="r", job="ingest", url="http://ui/runs/r", lines=[LINE])


def test_an_alert_is_posted_with_its_text_and_fields(receiver: Receiver) -> None:
    WebhookSink(url=receiver.url).deliver(ALERT)
    (body,) = receiver.bodies
    assert body["text"].splitlines() == [
        "1 of 2 episodes.",
        "- a.mcap (episode): the frames are black. look at the lens.",
        "http://ui/runs/r",
    ]
    assert (body["kind"], body["job"], body["num_episodes"]) == ("episodes_refused", "ingest", 1)
    assert body["lines"][0]["remedy"] == "look at the lens"


def test_a_server_that_fails_once_is_asked_again(receiver: Receiver) -> None:
    receiver.answers = [500]
    WebhookSink(url=receiver.url, attempts=2).deliver(ALERT)
    assert len(receiver.bodies) == 1


@pytest.mark.parametrize(
    ("answer", "said"), [(503, "it answered 503"), (302, "it answered 302"), (-1, "timed out")], ids=str
)
def test_what_is_not_taken_is_said(receiver: Receiver, answer: int, said: str) -> None:
    receiver.answers = [answer]
    with pytest.raises(AlertError, match=said) as caught:
        WebhookSink(url=receiver.url, attempts=1, timeout_s=0.3).deliver(ALERT)
    assert "secret" not in str(caught.value)
    assert receiver.bodies == []


def test_an_alert_is_bounded() -> None:
    lines = [AlertLine(f"{n}.mcap", "episode", "why " * 1000, "do " * 1000) for n in range(5000)]
    alert = Alert.of("episodes_refused", "many", run_id="r", job="ingest", url="u", lines=lines)
    assert (len(alert.lines), alert.num_episodes) == (MOST_LISTED, 5000)
    assert alert.text.splitlines()[-2] == "- and 4980 more"
    assert len(alert.text) < 20_000


def test_by_default_alerts_go_to_the_log(line: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert isinstance(line.defs.resources["alerts"], LogSink)
    dg.get_dagster_logger("alerts").propagate = True
    with caplog.at_level("WARNING"):
        LogSink().deliver(ALERT)
    assert "the frames are black" in caplog.text


def test_the_deployments_file_chooses_the_sink(tmp_path: Path) -> None:
    path = tmp_path / "deployment.yaml"
    path.write_text(yaml.safe_dump({"alerts": {"webhook": "https://chat.example/x", "attempts": 2}}))
    assert load_deployment(path).alerts.webhook == "https://chat.example/x"
    path.write_text(yaml.safe_dump({"alerts": {"webhook": "chat.example/x"}}))
    with pytest.raises(SettingsError, match=r"@ \$\.alerts\.webhook"):
        load_deployment(path)


class Watch:
    """A sensor, ticked by hand as the daemon does it, with its cursor."""

    def __init__(self, line: Any, sensor: dg.SensorDefinition, url: str) -> None:
        self._line, self._sensor, self._cursor = line, sensor, None
        self._sink = WebhookSink(url=url, attempts=1, timeout_s=0.5)
        assert self.tick() == "watching from now on"

    def tick(self) -> str:
        context = dg.build_sensor_context(
            instance=self._line.instance, cursor=self._cursor, resources={"alerts": self._sink}
        )
        result = self._sensor.evaluate_tick(context)
        self._cursor = result.cursor
        return str(result.skip_message)


def _watch_runs(line: Any, receiver: Receiver) -> Watch:
    return Watch(line, failed_runs_sensor(AlertSettings(), dagster_url="http://ui"), receiver.url)


@pytest.mark.both_databases
def test_a_run_with_refusals_is_told_once_with_reasons(line: Any, receiver: Receiver) -> None:
    for name, build in {"a.mcap": healthy, "b.mcap": with_black_frames, "c.mcap": with_missing_channel}.items():
        line.add(name, build)
    line.register()
    runs = _watch_runs(line, receiver)
    checks = Watch(line, failed_checks_sensor(AlertSettings(), dagster_url="http://ui"), receiver.url)
    run_id = line.ingest("a.mcap", "c.mcap").run_id
    assert runs.tick() == "1 runs looked at"
    (alert,) = receiver.bodies
    assert alert["kind"] == "episodes_refused"
    assert alert["title"] == "2 of 3 episodes were refused; the others are done."
    assert alert["url"] == f"http://ui/runs/{run_id}"
    told = {each["episode"]: each for each in alert["lines"]}
    assert set(told) == {"b.mcap", "c.mcap"}
    assert "frames_black" in told["b.mcap"]["reason"]
    assert "/cam_wrist/image" in told["c.mcap"]["reason"]
    assert runs.tick() == "0 runs looked at"
    receiver.bodies.clear()
    checks.tick()
    (alert,) = receiver.bodies
    assert alert["kind"] == "checks_failed"
    assert {(each["episode"], each["stage"]) for each in alert["lines"]} >= {("b.mcap", "episode")}
    assert any("frames_black" in each["reason"] for each in alert["lines"])
    assert "a.mcap" not in alert["text"]


@pytest.mark.both_databases
def test_what_cannot_be_delivered_is_told_at_a_later_tick_in_order(line: Any, receiver: Receiver) -> None:
    watch = _watch_runs(line, receiver)
    crashed = [_crash(line, f"Run execution process unexpectedly exited, number {n}.") for n in range(3)]
    receiver.answers = [204, 500, -1]
    assert "1 runs looked at, 2 left for the next tick: an alert could not be delivered" in watch.tick()
    assert "0 runs looked at, 2 left" in watch.tick()
    crashed.append(_crash(line, "another"))
    assert watch.tick() == "3 runs looked at"
    assert [body["run_id"] for body in receiver.bodies] == crashed
    assert set(receiver.kinds) == {"run_crashed"}
    assert "broke off. Run execution process unexpectedly exited, number 0. " in receiver.bodies[0]["title"]
    assert watch.tick() == "0 runs looked at"


def test_runs_without_failed_checks_and_runs_that_were_deleted_are_passed_over(line: Any, receiver: Receiver) -> None:
    line.add("a.mcap", healthy)
    line.register()
    checks = Watch(line, failed_checks_sensor(AlertSettings(), dagster_url="http://ui"), receiver.url)
    runs = _watch_runs(line, receiver)
    line.ingest("a.mcap")
    line.instance.delete_run(_crash(line, "gone"))
    assert checks.tick() == "1 runs looked at"
    assert runs.tick() == "0 runs looked at"
    assert receiver.bodies == []


def _crash(line: Any, why: str) -> str:
    run = line.instance.create_run_for_job(line.defs.resolve_job_def("ingest"), status=dg.DagsterRunStatus.STARTED)
    line.instance.report_run_failed(run, why)
    return str(run.run_id)


@pytest.mark.parametrize(
    "url",
    [
        "http://user:hunter2@127.0.0.1:9/hooks/SECRET?token=SECRET",
        "http://127.0.0.1:9/hooks/SECRET with a space",
        "http://127.0.0.1:hunter2/hooks/SECRET",
        "http://127.0.0.1:9/hooks/SECRETé",
        "http://[::1/hooks/SECRET",
        "http://host.invalid/SECRET",
    ],
)
def test_a_webhooks_address_is_told_to_nobody(url: str, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    sink = WebhookSink(url=url, attempts=1, timeout_s=0.3)
    with caplog.at_level("DEBUG"), pytest.raises(AlertError) as caught:
        sink.deliver(ALERT)
    path = tmp_path / "deployment.yaml"
    path.write_text(yaml.safe_dump({"alerts": {"webhook": f"x{url}"}}))
    with pytest.raises(SettingsError) as refused:
        load_deployment(path)

    settings = AlertSettings(webhook="https://chat.example/SECRET")
    for said in (str(caught.value), caplog.text, repr(sink), str(refused.value), repr(settings)):
        assert "SECRET" not in said
        assert "hunter2" not in said


def test_the_web_ui_shows_no_webhook() -> None:
    sink = WebhookSink(url="https://chat.example/SECRET")
    resources = build_defs(Deployment(), alerts=sink).get_repository_def().get_top_level_resources()
    shown = [resource.config_schema.as_field() for resource in resources.values()]

    assert "alerts" in resources
    assert any("127.0.0.1:3001" in each.default_value_as_json_str for each in shown if each.default_provided)
    assert not any("SECRET" in each.default_value_as_json_str for each in shown if each.default_provided)


def test_links_hold_no_password(tmp_path: Path) -> None:
    path = tmp_path / "deployment.yaml"
    for url in (
        "http://user:hunter2@robots.example:3001",
        "http://robots.example?token=hunter2",
        "user:hunter2@robots",
    ):
        path.write_text(yaml.safe_dump({"media": {"url": url}}))
        with pytest.raises(SettingsError, match=r"without a user or a query.*@ \$\.media\.url") as refused:
            load_deployment(path)
        assert "hunter2" not in str(refused.value)
