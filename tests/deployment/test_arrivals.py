"""The sensor `arrivals`: recordings become partitions once they have settled, and runs are started for what is to be made."""

import json
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from assets.batch import MAX_EPISODES_PER_RUN
from bagmill.dataset import list_quarantine, load_snapshot, make_snapshot, read_quarantine, release_for_retry
from bagmill.deployment import ArrivalSettings, ProfileChoice
from bagmill.testing import Settings, healthy, small_profile, with_black_frames
from pipelines.sensors import arrivals_sensor
from pipelines.wiring import profile_rules
from resources.datasets import DatasetFolder
from resources.recordings import RecordingsFolder

pytestmark = pytest.mark.both_databases

LONG_AGO_S = 600
SHORT = Settings(num_frames=20)
PROFILE = small_profile() | {"preview": {"enabled": False}}


class Watch:
    """The sensor with its cursor, as Dagster's daemon keeps it; what it asks for is done only where a test does it."""

    def __init__(self, line: Any) -> None:
        self.line = line
        self.cursor: str | None = None

    def look(self, *, goes_on: bool = True) -> dg.SensorResult:
        """One tick; the partitions asked for are added, and the cursor is kept unless the daemon is killed first."""
        deployment = self.line.deployment
        context = dg.build_sensor_context(instance=self.line.instance, cursor=self.cursor)
        said: Any = arrivals_sensor(deployment.arrivals)(
            context,
            recordings=RecordingsFolder(folder=str(deployment.recordings)),
            dataset_folder=DatasetFolder(folder=str(deployment.dataset)),
            profiles=profile_rules(deployment.profiles),
        )
        for request in said.dynamic_partitions_requests or []:
            self.line.instance.add_dynamic_partitions("episodes", list(request.partition_keys))
        if goes_on:
            self.cursor = said.cursor
        return said

    def settle(self) -> dg.SensorResult:
        """Two looks, of which the second takes in what has settled."""
        self.look()
        return self.look()

    @property
    def known(self) -> list[str]:
        return list(self.line.instance.get_dynamic_partitions("episodes"))

    @property
    def waiting(self) -> set[str]:
        return set(json.loads(self.cursor or "{}").get("waiting", {}))


def ranges(said: dg.SensorResult) -> list[tuple[str, str]]:
    wanted = [request.partition_key_range for request in said.run_requests or []]
    return [(keys.start, keys.end) for keys in wanted if keys is not None]


def settings(line: Any, **changes: Any) -> None:
    found = line.deployment.arrivals.model_copy(update=changes)
    line.deployment = line.deployment.model_copy(update={"arrivals": found})


def make_old(path: Path) -> None:
    then = time.time() - LONG_AGO_S - path.stat().st_size / 1e3  # longer ago for longer files: no two states are alike
    os.utime(path, (then, then))


def old(build: Callable[..., object], **kwargs: Any) -> Callable[[Path], None]:
    """A builder of recordings that nothing was written to for a while."""

    def write(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        build(path, **kwargs)
        make_old(path)

    return write


def stub(path: Path) -> None:
    """A file that is named like a recording: whoever registers it need not read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"\x89MCAP0\r\n")
    make_old(path)


@pytest.fixture
def watch(line: Any) -> Watch:
    settings(line, look_again_every_s=0)
    line.deployment.profiles[0].profile.write_text(yaml.safe_dump(PROFILE))
    return Watch(line)


def test_what_is_no_file_ends_no_look(line: Any, watch: Watch) -> None:
    folder = line.deployment.recordings
    line.add("good/a.mcap", stub)
    for name in ("pipe", "folder"):
        (folder / name).mkdir()
    os.mkfifo(folder / "pipe" / "metadata.yaml")
    (folder / "folder" / "metadata.yaml").mkdir()
    (folder / "loop").symlink_to(folder / "loop")
    stub(folder / os.fsdecode(b"new\nline \xff.mcap"))
    for _ in range(2):
        watch.look()
    assert sorted(name.partition("-")[0] for name in watch.known) == ["good__a.mcap", "new"]


def test_a_recording_is_taken_in_when_it_was_the_same_at_two_looks(line: Any, watch: Watch) -> None:
    line.add("robot_7/2025-11-03/a.mcap", stub)
    line.add("b.mcap", stub)
    assert watch.look().run_requests == []
    assert watch.known == []
    with (line.deployment.recordings / "b.mcap").open("ab") as file:
        file.write(b"more")
    make_old(line.deployment.recordings / "b.mcap")  # a copy may keep the date of what is copied
    said = watch.look()
    assert watch.known == ["robot_7__2025-11-03__a.mcap"]
    assert ranges(said) == [("robot_7__2025-11-03__a.mcap", "robot_7__2025-11-03__a.mcap")]
    assert ranges(watch.look()) == [("b.mcap", "b.mcap")]


def test_a_recording_that_is_written_to_is_not_even_noted(line: Any, watch: Watch) -> None:
    line.add("a.mcap", lambda path: path.write_bytes(b"\x89MCAP0\r\n"))
    for _ in range(3):
        assert watch.look().run_requests == []
    assert watch.known == []
    assert watch.waiting == set()


def test_the_cursor_survives_a_restart_and_holds_what_waits_alone(line: Any, watch: Watch) -> None:
    names = [f"day{number % 7}__r{number:05d}.mcap" for number in range(10_000)]
    line.instance.add_dynamic_partitions("episodes", names)
    for name in names[:200]:
        line.add(name.replace("__", "/"), stub)
    line.add("new.mcap", stub)
    settings(line, ingest="at_night")
    watch.look()
    assert watch.waiting == {"new.mcap"}
    assert len(watch.cursor or "") < 200
    again = Watch(line)  # as a daemon that was started anew
    again.cursor = watch.cursor
    again.look()
    assert again.known[-1] == "new.mcap"
    assert again.waiting == set()


def test_an_unreadable_cursor_costs_one_look_more(line: Any, watch: Watch) -> None:
    line.add("a.mcap", stub)
    watch.cursor = '{"waiting": ["a"'
    watch.settle()
    assert watch.known == ["a.mcap"]


def test_no_more_are_taken_in_at_a_tick_than_the_cap(line: Any, watch: Watch) -> None:
    settings(line, most_per_tick=3, ingest="at_night")
    for number in range(10):
        line.add(f"r{number}.mcap", stub)
    sizes = []
    for _ in range(6):
        watch.look()
        sizes.append(len(watch.known))
        assert len(watch.waiting) <= 6
    assert sizes == [0, 3, 6, 9, 10, 10]
    assert watch.known == [f"r{number}.mcap" for number in range(10)]


def test_runs_are_batches_over_ranges(line: Any, watch: Watch) -> None:
    names = [f"r{number:03d}.mcap" for number in range(MAX_EPISODES_PER_RUN + 3)]
    for name in names:
        line.add(name, stub)
    said = watch.settle()
    full = names[MAX_EPISODES_PER_RUN - 1]
    assert ranges(said) == [(names[0], full), (names[MAX_EPISODES_PER_RUN], names[-1])]


def test_at_night_recordings_are_registered_and_no_more(line: Any, watch: Watch) -> None:
    settings(line, ingest="at_night")
    line.add("a.mcap", stub)
    assert watch.settle().run_requests == []
    assert watch.known == ["a.mcap"]


def test_nothing_to_do_is_said_in_numbers(watch: Watch) -> None:
    reason = watch.look().skip_reason
    assert reason is not None
    assert "nothing to do: 0 recordings, 0 episodes" in str(reason.skip_message)


def test_what_a_killed_daemon_had_asked_for_is_asked_for_by_the_same_key(line: Any, watch: Watch) -> None:
    line.add("a.mcap", old(healthy, settings=SHORT))
    watch.look()
    killed = watch.look(goes_on=False)  # partitions are there, the cursor is not, and no run was made
    again = watch.look()
    assert ranges(killed) == ranges(again) == [("a.mcap", "a.mcap")]
    keys = {request.run_key for said in (killed, again) for request in said.run_requests or []}
    assert len(keys) == 1  # by which Dagster makes one run


@pytest.fixture
def finished(line: Any, watch: Watch) -> Watch:
    for name in "abcd":
        line.add(f"{name}.mcap", old(healthy, settings=SHORT))
    assert ranges(watch.settle()) == [("a.mcap", "d.mcap")]
    assert line.ingest("a.mcap", "d.mcap").success
    return watch


def test_what_is_finished_is_asked_for_no_more(finished: Watch) -> None:
    assert ranges(finished.settle()) == []


def test_a_changed_recording_becomes_a_new_version(line: Any, finished: Watch) -> None:
    for name in "abd":
        line.add(f"{name}.mcap", old(healthy, settings=Settings(num_frames=30)))
    line.add("c.mcap", lambda path: healthy(path, settings=Settings(num_frames=30)))  # not settled
    assert ranges(finished.settle()) == [("a.mcap", "b.mcap"), ("d.mcap", "d.mcap")]
    assert line.ingest("a.mcap", "b.mcap").success
    assert ranges(finished.settle()) == [("d.mcap", "d.mcap")]
    assert len(line.dataset.published("a.mcap")) == 2
    assert line.latest("episode", "a.mcap").metadata["num_ticks"].value == 30


def test_another_profile_is_reason_to_make_all_anew_beside_the_old(line: Any, finished: Watch) -> None:
    before = {name: line.dataset.published(name) for name in finished.known}
    line.deployment.profiles[0].profile.write_text(yaml.safe_dump(PROFILE | {"task": "another"}))
    assert ranges(finished.settle()) == [("a.mcap", "d.mcap")]
    assert line.ingest("a.mcap", "d.mcap").success
    for name in finished.known:
        assert len(line.dataset.published(name)) == 2
        assert set(before[name]) < set(line.dataset.published(name))


def test_everything_registered_is_looked_through_now_and_then_only(line: Any, finished: Watch) -> None:
    settings(line, look_again_every_s=3600)
    finished.look()
    line.add("a.mcap", old(healthy, settings=Settings(num_frames=30)))
    assert ranges(finished.settle()) == []
    content = json.loads(finished.cursor or "")
    finished.cursor = json.dumps(content | {"looked_again_s": time.time() - 3601})
    # Once it is noted, the next look goes on with it whenever it comes.
    assert ranges(finished.look()) == []
    assert ranges(finished.look()) == [("a.mcap", "a.mcap")]


def test_episodes_of_a_run_that_has_not_ended_are_left_to_it(line: Any, finished: Watch) -> None:
    for name in "ab":
        line.add(f"{name}.mcap", old(healthy, settings=Settings(num_frames=30)))
    job = line.defs.resolve_job_def("ingest")
    run = line.instance.create_run_for_job(
        job,
        status=dg.DagsterRunStatus.NOT_STARTED,
        tags={"dagster/asset_partition_range_start": "a.mcap", "dagster/asset_partition_range_end": "a.mcap"},
    )
    assert ranges(finished.settle()) == [("b.mcap", "b.mcap")]
    line.instance.report_run_canceled(run)
    assert ranges(finished.settle()) == [("a.mcap", "b.mcap")]


def test_what_is_refused_is_tried_again_when_it_changes_or_is_released(line: Any, watch: Watch) -> None:
    line.add("a.mcap", old(with_black_frames))
    watch.settle()
    assert not line.ingest("a.mcap").success
    assert ranges(watch.settle()) == []
    release_for_retry(line.dataset, "a.mcap", now_ns=time.time_ns())
    settings(line, ingest="at_night")  # what a person asks for does not wait
    assert ranges(watch.settle()) == [("a.mcap", "a.mcap")]
    assert not line.ingest("a.mcap").success
    assert ranges(watch.settle()) == []
    settings(line, ingest="at_once")
    line.add("a.mcap", old(healthy))
    assert ranges(watch.settle()) == [("a.mcap", "a.mcap")]


def test_a_recording_without_a_profile_is_refused_once(line: Any, watch: Watch) -> None:
    choice = line.deployment.profiles[0]
    line.deployment = line.deployment.model_copy(update={"profiles": ()})
    line.add("a.mcap", old(healthy, settings=SHORT))
    assert ranges(watch.settle()) == [("a.mcap", "a.mcap")]
    assert ranges(watch.settle()) == [("a.mcap", "a.mcap")]  # not tried yet
    assert not line.ingest("a.mcap").success
    assert ranges(watch.settle()) == []
    line.deployment = line.deployment.model_copy(update={"profiles": (choice,)})
    assert ranges(watch.settle()) == [("a.mcap", "a.mcap")]


def test_a_profile_that_breaks_leaves_what_is_published(line: Any, finished: Watch) -> None:
    line.deployment.profiles[0].profile.write_text("name: [")
    assert ranges(finished.settle()) == []
    assert list_quarantine(line.dataset) == []


def test_a_renamed_recording_keeps_its_episode_and_costs_a_scan(line: Any, finished: Watch) -> None:
    folder = line.deployment.recordings
    version = line.dataset.episode_path("a.mcap", line.dataset.published("a.mcap")[0])
    before = version.stat().st_mtime_ns
    (folder / "robot_7").mkdir()
    (folder / "a.mcap").rename(folder / "robot_7" / "a.mcap")
    assert ranges(finished.settle()) == [("robot_7__a.mcap", "robot_7__a.mcap")]
    assert line.ingest("robot_7__a.mcap").success
    recording = line.latest("recording", "robot_7__a.mcap")
    assert recording.metadata["duplicate_of"].value == "a.mcap"
    assert "The same recording as episode a.mcap" in str(recording.description)
    assert line.dataset.published("robot_7__a.mcap") == []
    assert ranges(finished.settle()) == []
    # A run over all of it finds the recording where it lies now.
    assert line.ingest("a.mcap", "robot_7__a.mcap").success
    assert line.latest("episode", "a.mcap").metadata["is_reused"].value is True
    assert version.stat().st_mtime_ns == before
    assert line.dataset.quarantined() == []


def test_a_copy_is_told_of_at_every_stage_and_fails_nothing(line: Any, watch: Watch) -> None:
    line.add("a.mcap", old(healthy, settings=SHORT))
    shutil.copy2(line.deployment.recordings / "a.mcap", line.deployment.recordings / "b.mcap")
    line.add("c.mcap", old(with_black_frames))
    watch.settle()
    result = line.ingest("a.mcap", "c.mcap")  # fails for c alone
    assert line.dataset.quarantined() == ["c.mcap"]
    for stage in ("timeline", "episode", "preview"):
        told = line.latest(stage, "b.mcap")
        assert told.metadata["duplicate_of"].value == "a.mcap"
        assert told.metadata["state"].value == "not reached"
        assert "b.mcap" not in line.failed(stage)
    said = [each for each in line.evaluations(result.run_id) if each.partition == "b.mcap"]
    assert {each.description for each in said} == {"not measured: the same recording as episode a.mcap"}
    assert all(each.passed for each in said)


def test_a_recording_that_is_gone_is_a_reason_that_passes(line: Any, watch: Watch) -> None:
    line.add("a.mcap", old(healthy, settings=SHORT))
    watch.settle()
    (line.deployment.recordings / "a.mcap").unlink()
    assert not line.ingest("a.mcap").success
    entry = read_quarantine(line.dataset, "a.mcap")
    assert entry is not None
    assert entry.is_passing
    line.add("a.mcap", old(healthy, settings=SHORT))
    assert ranges(watch.settle()) == [("a.mcap", "a.mcap")]


def test_what_is_published_stays_when_the_landing_place_is_cleared(line: Any, watch: Watch) -> None:
    line.add("a.mcap", old(healthy, settings=SHORT))
    watch.settle()
    assert line.ingest("a.mcap").success
    (line.deployment.recordings / "a.mcap").unlink()
    result = line.ingest("a.mcap")
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "What was published of it stands." in failure.step_failure_data.user_failure_data.description
    assert line.dataset.quarantined() == []
    assert make_snapshot(line.dataset).num_episodes == 1
    assert ranges(watch.settle()) == []


def test_robot_and_task_come_from_the_folders_where_a_rule_says_so(line: Any, watch: Watch) -> None:
    profile = line.deployment.profiles[0].profile
    rules: list[dict[str, Any]] = [
        {"match": "fleet/*", "profile": profile, "robot": {"folder": 2}, "task": "fold"},
        {"match": "*", "profile": profile, "task": {"folder": -1}},
    ]
    choices = tuple(ProfileChoice.model_validate(rule) for rule in rules)
    line.deployment = line.deployment.model_copy(update={"profiles": choices})
    for name in ("fleet/robot_7/monday/a.mcap", "pour/b.mcap", "c.mcap"):
        line.add(name, old(healthy, settings=SHORT))
    watch.settle()
    assert not line.ingest(watch.known[0], watch.known[-1]).success
    (refused,) = list_quarantine(line.dataset)
    assert refused.episode == "c.mcap"
    assert "the task of recording c.mcap is to be the name of folder -1" in refused.reason
    rows = load_snapshot(line.dataset, make_snapshot(line.dataset).id)
    said = {row["episode"]: (row["robot"], row["task"]) for row in rows.to_dict("records")}
    assert said == {
        "fleet__robot_7__monday__a.mcap": ("robot_7", "fold"),
        "pour__b.mcap": (small_profile()["robot"], "pour"),
    }


def test_the_sensor_is_off_until_the_deployment_says_otherwise(line: Any) -> None:
    sensors = {sensor.name: sensor for sensor in line.defs.sensors}
    assert sensors["arrivals"].default_status == dg.DefaultSensorStatus.STOPPED
    line.deployment = line.deployment.model_copy(update={"arrivals": ArrivalSettings(is_on=True)})
    sensors = {sensor.name: sensor for sensor in line.defs.sensors}
    assert sensors["arrivals"].default_status == dg.DefaultSensorStatus.RUNNING
    assert sensors["quarantine_changes"].default_status == dg.DefaultSensorStatus.RUNNING
