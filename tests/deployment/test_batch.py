"""A run over a range of episodes, through Dagster: what is made, what is told, and what one bad recording does."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import yaml

from bagmill.dataset import read_quarantine
from bagmill.ingest import IngestRequest
from bagmill.quality import METRICS
from bagmill.testing import Settings, foreign_file, healthy, truncated, with_black_frames, with_missing_channel
from bagmill.workers import Crash, Results
from resources.workers import LocalWorkers

pytestmark = pytest.mark.both_databases

STAGES = ("recording", "timeline", "episode", "preview")


NAMES = ("a_healthy.mcap", "b_black.mcap", "c_no_wrist.mcap", "d_text.mcap", "e_healthy.mcap")
GOOD = {NAMES[0], NAMES[4]}


@pytest.fixture(scope="module")
def mixed_run(shared_line: Any) -> dg.ExecuteInProcessResult:
    builders = (healthy, with_black_frames, with_missing_channel, foreign_file, healthy)
    for name, build in zip(NAMES, builders, strict=True):
        shared_line.add(name, build)
    assert shared_line.register() == list(NAMES)
    return shared_line.ingest(NAMES[0], NAMES[-1])


def test_each_episode_goes_as_far_as_it_can(shared_line: Any, mixed_run: dg.ExecuteInProcessResult) -> None:
    assert not mixed_run.success
    assert shared_line.materialised("preview") == GOOD
    assert shared_line.materialised("episode") == GOOD | {"b_black.mcap"}
    assert shared_line.materialised("recording") == GOOD | {"b_black.mcap", "c_no_wrist.mcap"}
    assert shared_line.failed("preview") == {"b_black.mcap", "c_no_wrist.mcap", "d_text.mcap"}
    assert shared_line.failed("recording") == {"d_text.mcap"}
    assert shared_line.dataset.quarantined() == ["b_black.mcap", "c_no_wrist.mcap", "d_text.mcap"]


def test_checks_are_known_for_each_episode(shared_line: Any, mixed_run: dg.ExecuteInProcessResult) -> None:
    state = shared_line.check_state("episode", "frames_black")
    assert state["failed"] == {"b_black.mcap"}
    assert shared_line.check_state("recording", "required_channels")["failed"] == {"c_no_wrist.mcap"}
    for name in METRICS:
        state = shared_line.check_state(METRICS[name].stage, name)
        assert state["succeeded"] >= GOOD
        assert "execution_failed" not in state


def test_a_check_that_was_not_reached_says_so(shared_line: Any, mixed_run: dg.ExecuteInProcessResult) -> None:
    told = {
        (evaluation.partition, evaluation.check_name): evaluation
        for evaluation in shared_line.evaluations(mixed_run.run_id)
    }
    unreached = told["d_text.mcap", "frames_black"]
    assert unreached.description == "not measured: refused at stage recording"
    assert unreached.metadata["is_measured"].value is False
    assert unreached.target_materialization_data is None
    assert "is_measured" not in told["a_healthy.mcap", "frames_black"].metadata


def test_the_failure_says_which_and_why(mixed_run: dg.ExecuteInProcessResult) -> None:
    failure = next(event for event in mixed_run.all_events if event.is_step_failure)
    data = failure.step_failure_data.user_failure_data
    assert data.description.startswith("3 of 5 episodes were refused")
    rows = {record.data["episode"]: record.data for record in data.metadata["refused"].records}
    assert rows["b_black.mcap"]["stage"] == "episode"
    assert "frames_black" in rows["b_black.mcap"]["failed_checks"]
    assert "/cam_wrist/image" in rows["c_no_wrist.mcap"]["reason"]
    assert rows["d_text.mcap"]["stage"] == "recording"


def test_what_is_told_of_an_episode(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.register()
    assert line.ingest("a.mcap").success
    recording, timeline, episode, preview = (line.latest(stage, "a.mcap") for stage in STAGES)
    assert recording.metadata["num_messages"].value == 60 + 61 + 60 + 2 * 207
    assert {row.data["channel"]: row.data["messages"] for row in recording.metadata["channels"].records}["/commands"]
    assert timeline.metadata["num_ticks"].value == 60
    assert "data:image/png;base64," in timeline.metadata["skew_plot"].value
    assert episode.metadata["stored_bytes"].value > 0
    assert Path(str(episode.metadata["path"].value)).is_dir()
    assert "data:image/avif;base64," in episode.metadata["contact_sheet"].value
    assert Path(str(preview.metadata["path"].value)).suffix == ".mp4"
    version = line.dataset.published("a.mcap")[0]
    assert "data:image/png;base64," in recording.metadata["rates_plot"].value
    server = "http://127.0.0.1:3001"
    assert {m.metadata["page"].url for m in (recording, timeline, episode, preview)} == {
        f"{server}/episodes/a.mcap/{version}"
    }
    assert preview.metadata["film"].url == f"{server}/files/a.mcap/{version}/film.mp4"
    assert episode.metadata["large_contact_sheet"].url == f"{server}/files/a.mcap/{version}/contact_sheet.jpg"
    assert episode.metadata["depth_picture"].url == f"{server}/files/a.mcap/{version}/depth.jpg"
    for m in (recording, timeline, episode, preview):
        assert sum(len(str(value.value)) for value in m.metadata.values()) < 12 * 1024, "events are kept for years"
    assert recording.tags["dagster/data_version"] != version
    assert {m.tags["dagster/data_version"] for m in (timeline, episode, preview)} == {version}


def test_every_check_that_measured_is_told_with_its_numbers(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.register()
    result = line.ingest("a.mcap")
    told = {evaluation.check_name: evaluation for evaluation in line.evaluations(result.run_id)}
    skew = told["skew"]
    assert skew.partition == "a.mcap"
    assert skew.passed
    skew_ms = {record.data["subject"]: record.data["ms"] for record in skew.metadata["measurements"].records}
    assert skew_ms["images/cam_wrist"] == pytest.approx(4.0, abs=0.01)
    assert skew_ms["images/cam_high"] == 0
    assert skew.metadata["worst_ms"].value == pytest.approx(max(skew_ms.values()), abs=1e-4)
    target = skew.target_materialization_data
    assert target is not None
    stored = line.instance.fetch_materializations(dg.AssetKey("timeline"), limit=1).records[0]
    assert target.storage_id == stored.storage_id


def test_after_the_fix_the_same_run_is_green_and_reuses_the_rest(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.add("b.mcap", with_black_frames)
    line.register()
    assert not line.ingest("a.mcap", "b.mcap").success
    before = line.latest("episode", "a.mcap")
    line.add("b.mcap", healthy)
    assert line.ingest("a.mcap", "b.mcap").success
    assert line.materialised("preview") == {"a.mcap", "b.mcap"}
    assert line.failed("preview") == set()
    assert line.check_state("episode", "frames_black") == {"succeeded": {"a.mcap", "b.mcap"}}
    assert line.dataset.quarantined() == []
    after = line.latest("episode", "a.mcap")
    assert after.metadata["is_reused"].value is True
    assert line.latest("episode", "b.mcap").metadata["is_reused"].value is False
    assert after.tags["dagster/data_version"] == before.tags["dagster/data_version"]


class NoWorkers(LocalWorkers):
    """An engine that has nobody to do anything."""

    def ingest_all(self, requests: Sequence[IngestRequest]) -> Results:
        for request in requests:
            yield Crash(request.episode, "there is nobody to do it.")


def test_what_is_finished_is_told_again_without_the_engine(line: Any) -> None:
    names = [f"{name}.mcap" for name in "abc"]
    for name in names:
        line.add(name, healthy)
    line.register()
    first = line.ingest(names[0], names[-1])
    line.workers = NoWorkers()
    again = line.ingest(names[0], names[-1])
    assert again.success
    assert len(line.evaluations(again.run_id)) == len(line.evaluations(first.run_id)) == 3 * len(list(METRICS))
    for name in METRICS:
        assert line.check_state(METRICS[name].stage, name) == {"succeeded": set(names)}
    for stage in STAGES:
        assert line.materialised(stage) == set(names)
        records = line.instance.fetch_materializations(dg.AssetKey(stage), limit=3).records
        assert {record.run_id for record in records} == {again.run_id}
        targets = {
            (each.partition, each.target_materialization_data.storage_id)
            for each in line.evaluations(again.run_id)
            if each.asset_key == dg.AssetKey(stage)
        }
        assert targets == {(record.partition_key, record.storage_id) for record in records}


def test_one_changed_recording_is_all_that_is_made_again(line: Any) -> None:
    for name in "abc":
        line.add(f"{name}.mcap", healthy)
    line.register()
    line.ingest("a.mcap", "c.mcap")
    line.add("b.mcap", lambda path: healthy(path, settings=Settings(num_frames=20)))
    assert line.ingest("a.mcap", "c.mcap").success
    reused = {name: line.latest("episode", f"{name}.mcap").metadata["is_reused"].value for name in "abc"}
    assert reused == {"a": True, "b": False, "c": True}
    assert [len(line.dataset.published(f"{name}.mcap")) for name in "abc"] == [1, 2, 1]


class PowerCut(LocalWorkers):
    """Worker processes whose machine goes dark after the first result."""

    def ingest_all(self, requests: Sequence[IngestRequest]) -> Results:
        yield next(super().ingest_all(requests))
        raise KeyboardInterrupt


def test_a_run_that_is_cut_short_keeps_what_it_finished(line: Any) -> None:
    for name in "ab":
        line.add(f"{name}.mcap", healthy)
    line.register()
    line.workers = PowerCut(processes=1)
    with contextlib.suppress(dg.DagsterExecutionInterruptedError, KeyboardInterrupt):
        line.ingest("a.mcap", "b.mcap")
    assert line.materialised("preview") == {"a.mcap"}
    assert line.check_state("preview", "preview_psnr")["succeeded"] == {"a.mcap"}


def test_a_cut_off_recording(line: Any) -> None:
    line.add("a.mcap", truncated)
    line.register()
    assert not line.ingest("a.mcap").success
    assert line.check_state("recording", "container_intact") == {"failed": {"a.mcap"}}
    assert line.materialised("timeline") == set()


def test_a_preview_that_is_switched_off_is_told_of(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.register()
    profile = line.deployment.profiles[0].profile
    profile.write_text(yaml.safe_dump(yaml.safe_load(profile.read_text()) | {"preview": {"enabled": False}}))
    assert line.ingest("a.mcap").success
    # A backfill takes a partition of which nothing is told for failed.
    assert line.materialised("preview") == {"a.mcap"}
    told = line.latest("preview", "a.mcap").metadata
    assert told["state"].value == "switched off in the profile"
    assert "film" not in told
    assert line.check_state("preview", "preview_psnr") == {"succeeded": {"a.mcap"}}


def test_only_what_is_selected_is_made_and_told(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.register()
    result = line.ingest("a.mcap", asset_selection=[dg.AssetKey("recording")])
    assert result.success
    assert line.materialised("recording") == {"a.mcap"}
    assert not line.dataset.published("a.mcap")
    result = line.ingest("a.mcap", asset_selection=[dg.AssetKey("preview")])
    assert result.success
    assert line.materialised("preview") == {"a.mcap"}
    assert line.materialised("episode") == set()
    assert line.dataset.published("a.mcap")


def test_selecting_an_early_stage_does_not_fail_for_a_later_one(line: Any) -> None:
    line.add("a.mcap", with_black_frames)
    line.register()
    assert not line.ingest("a.mcap").success
    assert line.ingest("a.mcap", asset_selection=[dg.AssetKey("recording")]).success


def test_no_profile_and_no_recording_are_refusals_of_that_episode_alone(line: Any) -> None:
    line.add("a.mcap", healthy)
    line.add("b.mcap", healthy)
    line.add("gone.mcap", healthy)
    line.register()
    (line.deployment.recordings / "gone.mcap").unlink()
    choice = line.deployment.profiles[0].model_copy(update={"match": "a*"})
    line.deployment = line.deployment.model_copy(update={"profiles": (choice,)})
    assert not line.ingest("a.mcap", "gone.mcap").success
    assert line.materialised("preview") == {"a.mcap"}
    assert "no rule for profiles matches" in read_quarantine(line.dataset, "b.mcap").reason
    assert "no recording of episode" in read_quarantine(line.dataset, "gone.mcap").reason


@pytest.mark.parametrize("name", ["day1/run.mcap", "x" * 300])
def test_a_partition_whose_name_is_none_is_refused_alone(line: Any, name: str) -> None:
    line.add("a_healthy.mcap", healthy)
    line.add("c_healthy.mcap", lambda path: healthy(path, settings=Settings(num_frames=21)))
    line.instance.add_dynamic_partitions("episodes", ["a_healthy.mcap", name, "c_healthy.mcap"])
    run = line.ingest("a_healthy.mcap", "c_healthy.mcap")
    assert not run.success
    failure = next(event for event in run.all_events if event.is_step_failure).step_failure_data.user_failure_data
    assert failure.description.startswith("1 of 3 episodes were refused; the others are done.")
    rows = [record.data for record in failure.metadata["refused"].records]
    assert [row["episode"] for row in rows] == [name]
    assert "can be no episode" in rows[0]["reason"]
    assert "Delete the partition" in rows[0]["remedy"]
    assert line.materialised("preview") == {"a_healthy.mcap", "c_healthy.mcap"}
    assert line.dataset.quarantined() == []
