"""Jobs and the sensor: recordings become partitions, partitions become runs."""

import os
import time
from typing import Any

import dagster as dg
import pytest
import yaml

from assets.batch import MAX_EPISODES_PER_RUN
from bagmill.dataset import load_snapshot
from bagmill.testing import Settings, healthy, small_profile, with_black_frames
from pipelines.sensors import SETTLED_AFTER_S, new_recordings, unfinished_episodes
from resources.recordings import RecordingsFolder

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _execute(line: Any, job: str) -> dg.ExecuteInProcessResult:
    job_def = line.defs.resolve_job_def(job)
    result: dg.ExecuteInProcessResult = job_def.execute_in_process(
        instance=line.instance, raise_on_error=False, run_config=QUIET
    )
    return result


def test_recordings_are_registered_once(line: Any) -> None:
    line.add("a.mcap", healthy)
    (line.deployment.recordings / "day").mkdir()
    line.add("day/b.mcap", healthy)
    (line.deployment.recordings / "notes.txt").write_text("no recording")
    first = _execute(line, "register_recordings")
    assert first.output_for_node("register") == ["a.mcap", "day__b.mcap"]
    assert _execute(line, "register_recordings").output_for_node("register") == []
    assert line.instance.get_dynamic_partitions("episodes") == ["a.mcap", "day__b.mcap"]


def test_a_missing_recordings_folder_is_said(line: Any) -> None:
    line.deployment.recordings.rmdir()
    result = _execute(line, "register_recordings")
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert str(line.deployment.recordings) in failure.step_failure_data.error_display_string


def test_the_snapshot_holds_what_is_published_and_names_the_rest(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.add("b.mcap", with_black_frames)
    line.register()
    line.ingest("a.mcap", "b.mcap")
    assert _execute(line, "take_snapshot").success
    event = line.instance.get_latest_materialization_event(dg.AssetKey("snapshot"))
    metadata = event.asset_materialization.metadata
    assert metadata["dagster/row_count"].value == 1
    assert [row.data["episode"] for row in metadata["episodes"].records] == ["a.mcap"]
    assert [row.data["episode"] for row in metadata["refused"].records] == ["b.mcap"]
    assert metadata["num_frames"].value == 60 * 3
    assert list(load_snapshot(line.dataset)["version"]) == line.dataset.published("a.mcap")


def test_a_snapshot_of_nothing_is_refused_with_a_sentence(line: Any) -> None:
    result = _execute(line, "take_snapshot")
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "no episode for a snapshot" in failure.step_failure_data.user_failure_data.description


def test_the_sensor_takes_new_recordings_that_have_settled(line: Any) -> None:
    names = [f"r{number:03d}.mcap" for number in range(MAX_EPISODES_PER_RUN + 3)]
    for name in names:
        line.add(name, lambda path: path.write_bytes(b"\x89MCAP0\r\n"))
    old = time.time() - SETTLED_AFTER_S - 60
    for name in names[:-1]:
        os.utime(line.deployment.recordings / name, (old, old))
    line.instance.add_dynamic_partitions("episodes", [names[0]])
    result = _tick(line)
    assert list(result.dynamic_partitions_requests[0].partition_keys) == names[1:-1]
    ranges = [request.partition_key_range for request in result.run_requests]
    full = names[MAX_EPISODES_PER_RUN]
    assert [(keys.start, keys.end) for keys in ranges] == [(names[1], full), (names[-2], names[-2])]


def test_a_sensor_with_nothing_new_says_so(line: Any) -> None:
    assert isinstance(_tick(line), dg.SkipReason)


def _tick(line: Any) -> Any:
    context = dg.build_sensor_context(
        instance=line.instance,
        resources={"recordings": RecordingsFolder(folder=str(line.deployment.recordings))},
    )
    return new_recordings(context)


NAMES = ("a.mcap", "b.mcap", "c.mcap", "d.mcap")


@pytest.fixture
def finished(line: Any) -> Any:
    for name in NAMES:
        line.add(name, _old(healthy))
    line.register()
    assert line.ingest(NAMES[0], NAMES[-1]).success
    return line


def _old(build: Any, **kwargs: Any) -> Any:
    """A builder of recordings that nothing was written to for a while; a while longer for longer ones."""

    def write(path: Any) -> None:
        build(path, **kwargs)
        then = time.time() - 2 * SETTLED_AFTER_S - path.stat().st_size / 1e3
        os.utime(path, (then, then))

    return write


def _unfinished(line: Any) -> list[tuple[str, str]]:
    """The ranges of episodes for which the sensor wants a run."""
    context = dg.build_sensor_context(instance=line.instance, resources=_resources(line))
    said: Any = unfinished_episodes(context)
    if isinstance(said, dg.SkipReason):
        return []
    return [(keys.start, keys.end) for keys in (request.partition_key_range for request in said.run_requests)]


def _resources(line: Any) -> dict[str, Any]:
    return {name: line.defs.resources[name] for name in ("recordings", "dataset_folder", "profiles")}


def test_the_sensor_wants_no_run_for_what_is_finished(finished: Any) -> None:
    assert _unfinished(finished) == []


def test_the_sensor_wants_what_changed_and_settled_and_no_more(finished: Any) -> None:
    finished.add("a.mcap", _old(healthy, settings=Settings(num_frames=20)))
    finished.add("b.mcap", _old(healthy, settings=Settings(num_frames=20)))
    finished.add("d.mcap", _old(healthy, settings=Settings(num_frames=20)))
    finished.add("c.mcap", lambda path: healthy(path, settings=Settings(num_frames=20)))
    assert _unfinished(finished) == [("a.mcap", "b.mcap"), ("d.mcap", "d.mcap")]
    assert finished.ingest("a.mcap", "b.mcap").success
    assert _unfinished(finished) == [("d.mcap", "d.mcap")]
    assert finished.latest("episode", "a.mcap").metadata["num_ticks"].value == 20


def test_the_sensor_wants_all_of_another_profile(finished: Any) -> None:
    finished.deployment.profiles[0].profile.write_text(yaml.safe_dump(small_profile() | {"task": "another"}))
    assert _unfinished(finished) == [("a.mcap", "d.mcap")]


def test_a_refused_episode_is_asked_for_by_the_same_key_until_it_changes(line: Any) -> None:
    line.add("a.mcap", _old(with_black_frames))
    line.register()
    assert not line.ingest("a.mcap").success

    def key() -> str:
        context = dg.build_sensor_context(instance=line.instance, resources=_resources(line))
        said: Any = unfinished_episodes(context)
        return str(said.run_requests[0].run_key)

    first = key()
    assert key() == first  # by which Dagster starts no second run
    line.add("a.mcap", _old(healthy))
    assert key() != first


def test_the_sensor_waits_for_a_run_that_is_under_way(finished: Any) -> None:
    finished.add("a.mcap", _old(healthy, settings=Settings(num_frames=20)))
    job = finished.defs.resolve_job_def("ingest")
    run = finished.instance.create_run_for_job(job, status=dg.DagsterRunStatus.STARTED)
    assert _unfinished(finished) == []
    finished.instance.report_run_canceled(run)
    assert _unfinished(finished) == [("a.mcap", "a.mcap")]
