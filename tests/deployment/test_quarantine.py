"""The quarantine in one place, and the job that has a selection of it tried again."""

import time
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from assets.markdown import md_text
from bagmill.dataset import list_quarantine, put_quarantine, read_quarantine
from bagmill.ingest import IngestRequest
from bagmill.limits import Limits, limits, set_limits
from bagmill.quality import STAGES
from bagmill.testing import Settings, foreign_file, healthy, with_black_frames, with_missing_channel
from bagmill.workers import Crash, Results, end_servers
from resources.workers import LocalWorkers
from tests.workers.faults import install_plugin

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NAMES = ("a_healthy.mcap", "b_black.mcap", "c_no_wrist.mcap", "d_text.mcap")


@pytest.fixture(scope="module")
def refused(shared_line: Any) -> Any:
    """A line of which one run refused three episodes, each for a reason of its own."""
    for name, build in zip(NAMES, (healthy, with_black_frames, with_missing_channel, foreign_file), strict=True):
        shared_line.add(name, build)
    shared_line.register()
    assert not shared_line.ingest(NAMES[0], NAMES[-1]).success
    return shared_line


def _shown(line: Any) -> dict[str, Any]:
    """What the asset's page shows."""
    event = line.instance.get_latest_materialization_event(dg.AssetKey("quarantine"))
    return dict(event.asset_materialization.metadata)


def _materialise(line: Any) -> dict[str, Any]:
    job = line.defs.resolve_implicit_global_asset_job_def()
    assert job.execute_in_process(
        instance=line.instance, asset_selection=[dg.AssetKey("quarantine")], run_config=QUIET
    ).success
    return _shown(line)


def _release(line: Any, **config: Any) -> tuple[dg.ExecuteInProcessResult, dict[str, Any]]:
    run_config = QUIET | {"ops": {"release": {"config": config}}}
    job = line.defs.resolve_job_def("release_quarantine")
    result = job.execute_in_process(instance=line.instance, run_config=run_config, raise_on_error=False)
    outputs = [event for event in result.all_events if event.is_successful_output]
    return result, dict(outputs[0].step_output_data.metadata) if outputs else {}


def _released(line: Any) -> set[str]:
    return {entry.episode for entry in list_quarantine(line.dataset) if entry.released_ns is not None}


def _passing(line: Any) -> list[str]:
    """What a dry run over the reasons that may have passed by themselves would release."""
    result, told = _release(line, only_passing=True)
    assert result.success
    return [record.data["episode"] for record in told["episodes"].records] if told["num_episodes"].value else []


def test_every_refusal_is_in_the_table_reason_and_remedy_first_with_a_link(refused: Any) -> None:
    shown = _materialise(refused)
    head, _, *lines = shown["episodes"].value.splitlines()
    assert head.startswith("| reason | remedy | episode |")
    found = {line.split(" | ")[2]: line for line in lines}
    links = {name: f"[{md_text(name)}](http://127.0.0.1:3001/episodes/{name})" for name in NAMES[1:]}
    assert set(found) == set(links.values())
    black = found[links["b_black.mcap"]]
    assert black.startswith("| check frames\\_black failed")
    assert md_text(str(refused.deployment.recordings / "b_black.mcap")) in black
    assert "three joints, two cameras" in black
    assert "may pass" not in black
    assert shown["all_episodes"].value == "http://127.0.0.1:3001/quarantine"
    assert shown["num_episodes"].value == 3
    assert sum(record.data["episodes"] for record in shown["reasons"].records) == 3


def test_the_partition_names_the_reason_and_its_page(refused: Any) -> None:
    stages = {"b_black.mcap": "episode", "c_no_wrist.mcap": "recording", "d_text.mcap": "recording"}
    for entry in list_quarantine(refused.dataset):
        assert entry.stage == stages[entry.episode]
        # Somebody who asks where the episode or its film is looks at those assets, not at the one that refused it.
        for stage in STAGES:
            records = refused.instance.fetch_observations(
                dg.AssetRecordsFilter(asset_key=dg.AssetKey(stage), asset_partitions=[entry.episode]), limit=10
            ).records
            told = [record.event_log_entry.asset_observation for record in records]
            assert len(told) == (STAGES.index(stage) >= STAGES.index(entry.stage)), stage
            for each in told:
                assert each.description == f"Refused: {entry.reason}"
                assert each.metadata["remedy"].value == entry.remedy
                assert each.metadata["page"].value == f"http://127.0.0.1:3001/episodes/{entry.episode}"


def test_the_checks_of_the_partition_tell_the_same(refused: Any) -> None:
    for entry in list_quarantine(refused.dataset):
        for check in entry.failed_checks:
            assert entry.episode in refused.check_state(entry.stage, check)["failed"]
        assert entry.episode in refused.failed("preview")
    assert refused.check_state("episode", "frames_black")["failed"] == {"b_black.mcap"}


def test_the_sensor_shows_what_changed_and_without_a_run(refused: Any) -> None:
    sensor = refused.defs.resolve_sensor_def("quarantine_changes")

    def tick(cursor: str | None) -> Any:
        resources = {name: refused.defs.resources[name] for name in ("dataset_folder", "media")}
        return sensor(dg.build_sensor_context(instance=refused.instance, cursor=cursor, resources=resources))

    first = tick(None)
    (told,) = first.asset_events
    assert told.asset_key == dg.AssetKey("quarantine")
    assert told.metadata["num_episodes"].value == 3
    assert not first.run_requests
    assert isinstance(tick(first.cursor), dg.SkipReason)
    (entry,) = [each for each in list_quarantine(refused.dataset) if each.episode == "d_text.mcap"]
    put_quarantine(refused.dataset, entry)
    assert tick(first.cursor).asset_events


def test_a_dry_run_lists_and_changes_nothing(refused: Any) -> None:
    before = list_quarantine(refused.dataset)
    result, told = _release(refused)
    assert result.success
    assert {record.data["episode"] for record in told["episodes"].records} == set(NAMES[1:])
    assert told["dry_run"].value is True
    assert list_quarantine(refused.dataset) == before


@pytest.mark.parametrize(
    ("config", "episodes"),
    [
        ({"episodes": ["b_*", "d_*"]}, {"b_black.mcap", "d_text.mcap"}),
        ({"episodes": ["recordings/b_*"]}, {"b_black.mcap"}),
        ({"episodes": ["/*/recordings/d_text.mcap"]}, {"d_text.mcap"}),
        ({"episodes": ["other/*"]}, set()),
        ({"stage": "recording"}, {"c_no_wrist.mcap", "d_text.mcap"}),
        ({"check": "frames_black"}, {"b_black.mcap"}),
        ({"stage": "recording", "episodes": ["b*"]}, set()),
        ({"only_passing": True}, set()),
    ],
)
def test_a_selection_is_what_everything_given_holds_of(refused: Any, config: Any, episodes: set[str]) -> None:
    result, told = _release(refused, **config)
    assert result.success
    assert told["num_episodes"].value == len(episodes)
    if episodes:
        assert {record.data["episode"] for record in told["episodes"].records} == episodes


@pytest.mark.parametrize(
    ("config", "sentence"),
    [
        ({"stage": "encode"}, "the stages are recording, timeline"),
        ({"check": "black"}, "there is no check 'black'"),
    ],
)
def test_a_selection_of_what_there_is_not_is_refused(refused: Any, config: Any, sentence: str) -> None:
    result, _ = _release(refused, **config)
    assert not result.success
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert sentence in failure.step_failure_data.user_failure_data.description


def test_a_released_episode_is_made_anew_with_its_checks(line: Any) -> None:
    line.add("a.mcap", with_black_frames)
    line.register()
    assert not line.ingest("a.mcap").success
    since = read_quarantine(line.dataset, "a.mcap").since_ns
    # Taken as it stands while nobody has released it.
    assert not line.ingest("a.mcap").success
    assert line.latest("episode", "a.mcap").metadata["is_reused"].value is True
    result, _ = _release(line, dry_run=False)
    assert result.success
    assert _released(line) == {"a.mcap"}
    assert not line.ingest("a.mcap").success
    assert line.latest("episode", "a.mcap").metadata["is_reused"].value is False
    entry = read_quarantine(line.dataset, "a.mcap")
    assert (entry.since_ns, entry.released_ns) == (since, None)


class _OutOfOrder(LocalWorkers):
    """An engine that fails on every episode."""

    def ingest_all(self, requests: Any) -> Results:
        for request in requests:
            assert isinstance(request, IngestRequest)
            yield Crash(request.episode, "its worker process was ended by SIGKILL.")


def test_what_passes_by_itself_is_told_from_what_does_not(line: Any) -> None:
    line.add("a.mcap", lambda path: healthy(path, settings=Settings(num_frames=20)))
    line.add("b.mcap", foreign_file)
    line.register()
    workers, line.workers = line.workers, _OutOfOrder()
    assert not line.ingest("a.mcap", "b.mcap").success
    assert _passing(line) == ["a.mcap", "b.mcap"]
    line.workers = workers
    assert not line.ingest("a.mcap", "b.mcap").success  # for b alone, and for another reason
    assert _passing(line) == []
    assert line.dataset.quarantined() == ["b.mcap"]


def test_a_full_disk_passes(line: Any) -> None:
    line.add("a.mcap", lambda path: healthy(path, settings=Settings(num_frames=20)))
    line.register()
    line.dataset.path.mkdir()
    (line.dataset.path / "scans").write_text("a file where a folder has to be: nothing can be written")
    assert not line.ingest("a.mcap").success
    assert _passing(line) == ["a.mcap"]
    (entry,) = list_quarantine(line.dataset)
    assert "cannot be written" in entry.reason
    (line.dataset.path / "scans").unlink()
    assert line.ingest("a.mcap").success
    assert list_quarantine(line.dataset) == []


def test_an_entry_of_an_earlier_bagmill_is_read(line: Any) -> None:
    path = line.dataset.quarantine_path("a.mcap")
    path.parent.mkdir(parents=True)
    path.write_text(
        '{"schema": "bagmill-quarantine-1", "episode": "a.mcap", "recording": "/r/a.mcap", "stage": "episode", '
        f'"reason": "it is black.", "since_ns": {time.time_ns()}, "remedy": null, "failed_checks": []}}'
    )
    entry = read_quarantine(line.dataset, "a.mcap")
    assert (entry.is_passing, entry.robot, entry.released_ns) == (False, "", None)


def test_a_recording_that_crashes_hangs_or_takes_all_memory_costs_itself_only(
    line: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end_servers()
    monkeypatch.syspath_prepend(str(install_plugin(tmp_path / "plugin")))
    before = limits()
    set_limits(Limits(episode_memory_bytes=1 << 29, episode_silent_s=8))
    names = [f"{name}.mcap" for name in ("a_healthy", "b_segfault", "c_spin", "d_eat_memory", "e_healthy")]
    for number, name in enumerate(names):
        line.add(name, lambda path, number=number: healthy(path, settings=Settings(num_frames=8 + number)))
    line.register()
    try:
        result = line.ingest(names[0], names[-1])
    finally:
        set_limits(before)
        end_servers()
    assert line.materialised("preview") == {names[0], names[-1]}
    assert {entry.episode: entry.kind for entry in list_quarantine(line.dataset)} == {
        "b_segfault.mcap": "crashed",
        "c_spin.mcap": "hung",
        "d_eat_memory.mcap": "out of memory",
    }
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert failure.step_failure_data.user_failure_data.description.startswith("3 of 5 episodes were refused")
    assert "| hung |" in _materialise(line)["episodes"].value
    unreached = {each.partition for each in line.evaluations(result.run_id) if "is_measured" in each.metadata}
    assert unreached >= set(names[1:4])
