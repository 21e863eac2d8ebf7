"""Jobs and the sensor: recordings become partitions, partitions become runs."""

import os
import time
from typing import Any

import dagster as dg

from bagmill.dataset import load_snapshot
from bagmill.testing import healthy, with_black_frames
from pipelines.sensors import SETTLED_AFTER_S, new_recordings
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
    names = [f"r{number:03d}.mcap" for number in range(103)]
    for name in names:
        line.add(name, lambda path: path.write_bytes(b"\x89MCAP0\r\n"))
    old = time.time() - SETTLED_AFTER_S - 60
    for name in names[:-1]:
        os.utime(line.deployment.recordings / name, (old, old))
    line.instance.add_dynamic_partitions("episodes", [names[0]])
    result = _tick(line)
    assert list(result.dynamic_partitions_requests[0].partition_keys) == names[1:-1]
    ranges = [request.partition_key_range for request in result.run_requests]
    assert [(keys.start, keys.end) for keys in ranges] == [(names[1], names[100]), (names[101], names[101])]


def test_a_sensor_with_nothing_new_says_so(line: Any) -> None:
    assert isinstance(_tick(line), dg.SkipReason)


def _tick(line: Any) -> Any:
    context = dg.build_sensor_context(
        instance=line.instance,
        resources={"recordings": RecordingsFolder(folder=str(line.deployment.recordings))},
    )
    return new_recordings(context)
