"""Jobs: recordings become partitions, and a snapshot is taken."""

from typing import Any

import dagster as dg
import pytest

from bagmill.dataset import load_snapshot
from bagmill.testing import healthy, with_black_frames

pytestmark = pytest.mark.both_databases

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
