"""The watch: what it tells of daemon, ticks, disks, robots and configuration, and how often."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import WorkspaceFileTarget
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._daemon.types import DaemonHeartbeat
from dagster._utils.log import get_dagster_logger

from bagmill.deployment import ProfileChoice
from bagmill.testing import healthy, write_small_profile
from pipelines.deployment import ROOT
from pipelines.last_good import InForce, load_in_force
from pipelines.watch.concern import Concern
from pipelines.watch.daemons import SILENT_AFTER_S, look_at_daemons
from pipelines.watch.disks import look_at_disks
from pipelines.watch.looks import Looks
from pipelines.watch.robots import look_at_robots
from pipelines.watch.ticks import look_at_ticks
from pipelines.watch.watch import AGAIN_AFTER_S, Watch
from pipelines.wiring import alert_sink
from resources.alerts import WebhookSink
from tests.alert_receiver import Receiver


def _beat(instance: dg.DagsterInstance, *, ago_s: float, only: str | None = None) -> None:
    for kind in instance.get_required_daemon_types() if only is None else [only]:
        instance.add_daemon_heartbeat(DaemonHeartbeat(time.time() - ago_s, kind, "one", []))


def test_a_daemon_that_beats_is_no_concern(line: Any) -> None:
    _beat(line.instance, ago_s=SILENT_AFTER_S - 30)
    assert list(look_at_daemons(line.instance, since_s=0)) == []


def test_a_daemon_that_is_gone_is_told_with_how_long(line: Any) -> None:
    _beat(line.instance, ago_s=SILENT_AFTER_S + 60)
    (concern,) = look_at_daemons(line.instance, since_s=0)
    assert concern.title.startswith("Dagster's daemon is gone: its last sign of life was 6 minutes ago")
    assert concern.path == "/deployment/daemons"


def test_one_part_of_the_daemon_that_has_stopped_is_named(line: Any) -> None:
    _beat(line.instance, ago_s=0)
    _beat(line.instance, ago_s=SILENT_AFTER_S + 60, only="SENSOR")
    (concern,) = look_at_daemons(line.instance, since_s=0)
    assert concern.title.startswith("Of Dagster's daemon, SENSOR has stopped")


def test_a_daemon_may_take_its_time_to_start(line: Any) -> None:
    assert list(look_at_daemons(line.instance, since_s=time.time() - 10)) == []
    (concern,) = look_at_daemons(line.instance, since_s=time.time() - SILENT_AFTER_S - 1)
    assert "was never started" in concern.title


@pytest.fixture
def failing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """An instance whose sensor `arrivals` has failed for real: there is no folder of recordings."""
    home = tmp_path / "dagster"
    home.mkdir()
    deployment = tmp_path / "deployment.yaml"
    deployment.write_text("recordings: nowhere\narrivals: {is_on: true}\n")
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(deployment))
    with dg.instance_for_test(temp_dir=str(home)) as instance:
        yield instance


def _tick(instance: dg.DagsterInstance) -> None:
    with WorkspaceProcessContext(instance, WorkspaceFileTarget([str(ROOT / "workspace.yaml")])) as workspace:
        list(execute_sensor_iteration(workspace, get_dagster_logger(), None, None))


@pytest.mark.filterwarnings("ignore:Function `AssetSelection.sources` is deprecated:DeprecationWarning")
def test_a_sensor_that_fails_is_told_with_why_and_its_page(failing: dg.DagsterInstance) -> None:
    assert list(look_at_ticks(failing)) == []
    _tick(failing)
    found = {concern.subject: concern for concern in look_at_ticks(failing)}
    concern = found["sensor arrivals"]
    assert concern.title.startswith("The sensor arrivals failed: /")
    assert "nowhere: there is no such folder" in concern.title
    assert concern.path.startswith("/locations/")
    assert concern.path.endswith("/sensors/arrivals")


def test_a_disk_counts_once_whatever_is_on_it(tmp_path: Path) -> None:
    folders = {"recordings": tmp_path / "not" / "there", "dataset": tmp_path}
    assert list(look_at_disks(folders, least_percent=0)) == []
    (concern,) = look_at_disks(folders, least_percent=100)
    assert "(recordings, dataset) is nearly full" in concern.title
    assert "bagmill prune" in concern.title
    (tmp_path / "not" / "there").mkdir(parents=True)
    assert list(look_at_disks(folders, least_percent=100)) == [concern], "what is made on a disk makes it no other"


def test_a_robot_that_has_stopped_recording_is_told_also_when_its_recordings_were_cleared_away(line: Any) -> None:
    old, _ = (line.add(f"{name}.mcap", healthy) for name in ("old", "new"))
    then = time.time() - 30 * 3600
    os.utime(old, (then, then))
    choices = tuple(
        ProfileChoice(match=f"{name}.mcap", profile=line.deployment.profiles[0].profile, robot=f"robot_{name}")
        for name in ("old", "new")
    )
    alerts = line.deployment.alerts.model_copy(update={"silent_after_h": 24.0, "disk_free_percent": 0.0})
    deployment = line.deployment.model_copy(update={"profiles": choices, "alerts": alerts})
    looks = Looks(line.instance)

    def look() -> list[Concern]:
        return [concern for _, each in looks.of(InForce(deployment, Path("x"))) for concern in each()]

    (concern,) = look()
    assert concern.title.startswith("Nothing has come from robot robot_old for 30 hours.")
    old.unlink()
    assert look() == [concern]


def test_a_short_silence_is_told_in_minutes() -> None:
    (concern,) = look_at_robots({"arm": time.time() - 90 * 60}, silent_after_h=0.5)
    assert concern.title.startswith("Nothing has come from robot arm for 90 minutes.")


def test_an_alert_is_raised_once_then_once_a_day_then_anew(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    concerns = [Concern("disk_nearly_full", "disk of /", "The disk is nearly full.", "/jobs")]

    def watch() -> Watch:
        sink = WebhookSink(url=receiver.url, attempts=1)
        return Watch([("disks", lambda: concerns)], sink=sink, dagster_url="http://ui", memory=tmp_path / "watch.json")

    first = watch()
    assert len(first.look()) == 1
    assert first.look() == []
    assert watch().look() == [], "a restart forgets nothing"
    now_s = time.time()
    monkeypatch.setattr(time, "time", lambda: now_s + AGAIN_AFTER_S + 1)
    assert len(watch().look()) == 1
    concerns.clear()
    assert watch().look() == []
    concerns.append(Concern("disk_nearly_full", "disk of /", "The disk is nearly full.", "/jobs"))
    assert len(watch().look()) == 1
    assert receiver.bodies[0]["text"] == "The disk is nearly full.\nhttp://ui/jobs"


def test_what_cannot_be_delivered_is_tried_again(receiver: Receiver, tmp_path: Path) -> None:
    receiver.answers = [500]
    sink = WebhookSink(url=receiver.url, attempts=1)
    looks = [("disks", lambda: [Concern("disk_nearly_full", "disk of /", "Full.", "/jobs")])]
    watch = Watch(looks, sink=sink, dagster_url="http://ui", memory=tmp_path / "watch.json")
    assert watch.look() == []
    assert len(watch.look()) == 1


def test_what_cannot_be_looked_at_is_told_and_hides_nothing_else(receiver: Receiver, tmp_path: Path) -> None:
    def blind() -> list[Concern]:
        raise OSError(5, "Input/output error")

    looks: list[tuple[str, Callable[[], list[Concern]]]] = [
        ("the disks", blind),
        ("others", lambda: [Concern("robot_silent", "robot a", "Silent.", "/")]),
    ]
    sink = WebhookSink(url=receiver.url, attempts=1)
    Watch(looks, sink=sink, dagster_url="http://ui", memory=tmp_path / "watch.json").look()
    assert receiver.kinds == ["watch_blind", "robot_silent"]
    assert "The disks cannot be looked at: [Errno 5] Input/output error" in receiver.bodies[0]["text"]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_what_was_told_is_no_news_after_a_look_that_failed(
    receiver: Receiver, tmp_path: Path, is_restarted: bool
) -> None:
    state = ["seen"]

    def disks() -> Iterator[Concern]:
        if state[0] == "seen":
            yield Concern("disk_nearly_full", "disk at /a", "Disk a.", "/")
        if state[0] == "blind":
            raise OSError(5, "Input/output error")
        if state[0] != "gone":
            yield Concern("disk_nearly_full", "disk at /b", "Disk b.", "/")

    def make() -> Watch:
        sink = WebhookSink(url=receiver.url, attempts=1)
        looks: list[tuple[str, Callable[[], Iterator[Concern]]]] = [("the disks", disks), ("others", lambda: iter(()))]
        return Watch(looks, sink=sink, dagster_url="http://ui", memory=tmp_path / "watch.json")

    watch = make()

    def kinds_after(now: str) -> list[str]:
        nonlocal watch
        state[0] = now
        watch = make() if is_restarted else watch
        return [alert.title for alert in watch.look()]

    assert kinds_after("seen") == ["Disk a.", "Disk b."]
    assert [title[:31] for title in kinds_after("blind")] == ["The disks cannot be looked at: "]
    assert kinds_after("blind") == []
    assert kinds_after("seen") == [], "told before the look failed"
    assert kinds_after("gone") == []
    assert kinds_after("seen") == ["Disk a.", "Disk b."], "it was over, and is news"


def test_a_watch_that_cannot_write_down_what_it_told_hands_it_on(receiver: Receiver, tmp_path: Path) -> None:
    looks = [("disks", lambda: [Concern("disk_nearly_full", "disk at /", "Full.", "/jobs")])]
    sink = WebhookSink(url=receiver.url, attempts=1)
    (tmp_path / "file").write_text("no folder")
    watch: Watch | None = None
    numbers = []
    for _ in range(3):
        memory = tmp_path / "file" / "watch.json"
        watch = Watch(looks, sink=sink, dagster_url="http://ui", memory=memory, before=watch)
        numbers.append(len(watch.look()))
    assert numbers == [1, 0, 0]


def test_the_process_tells_of_a_wrong_configuration_and_ends_when_asked(
    receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "recordings").mkdir()
    write_small_profile(tmp_path / "small.yaml")
    deployment = tmp_path / "deployment.yaml"
    right = f"alerts: {{webhook: '{receiver.url}', disk_free_percent: 0}}\n"
    deployment.write_text(right)
    env = {"DAGSTER_HOME": str(home), "BAGMILL_DEPLOYMENT": str(deployment)}
    for name, value in env.items():
        monkeypatch.setenv(name, value)
    assert alert_sink(load_in_force().deployment.alerts)
    deployment.write_text(right.replace("webhook", "webhok"))
    command = [sys.executable, "-m", "pipelines.watch", "--every-s", "0.2"]
    with subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not receiver.bodies:
            assert time.monotonic() < deadline
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.1)
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0
    (body,) = receiver.bodies
    assert body["kind"] == "configuration_wrong"
    assert "no such setting @ $.alerts.webhok" in body["title"]
    assert body["url"].endswith("/assets/configuration")
    assert list(json.loads((home / "bagmill" / "watch.json").read_text())) == [f"configuration_wrong: {deployment}"]
