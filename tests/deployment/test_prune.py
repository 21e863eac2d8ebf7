"""The job that prunes: it lists first, and removes when it is told to."""

from typing import Any

import dagster as dg
import pytest
import yaml

from bagmill.dataset import load_snapshot
from bagmill.testing import healthy, small_profile

EPISODE = "a.mcap"


def _prune(line: Any, **config: object) -> dict[str, Any]:
    result = line.defs.resolve_job_def("prune_versions").execute_in_process(
        instance=line.instance,
        raise_on_error=False,
        run_config={
            "loggers": {"console": {"config": {"log_level": "CRITICAL"}}},
            "ops": {"prune": {"config": config}},
        },
    )
    (output,) = (event for event in result.all_events if event.event_type == dg.DagsterEventType.STEP_OUTPUT)
    return {name: each.value for name, each in output.step_output_data.metadata.items()}


@pytest.fixture
def two_versions(line: Any) -> Any:
    """An episode by two profiles, one after the other."""
    line.add(EPISODE, healthy)
    line.register()
    line.ingest(EPISODE)
    line.deployment.profiles[0].profile.write_text(yaml.safe_dump(small_profile() | {"task": "another"}))
    line.ingest(EPISODE)
    return line


def _snapshot(line: Any) -> None:
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    assert (
        line.defs.resolve_job_def("take_snapshot").execute_in_process(instance=line.instance, run_config=quiet).success
    )


def test_it_lists_and_changes_nothing_unless_told_to(two_versions: Any) -> None:
    dataset = two_versions.dataset
    _snapshot(two_versions)
    (current,) = load_snapshot(dataset)["version"]
    (old,) = set(dataset.published(EPISODE)) - {current}
    said = _prune(two_versions)
    assert (said["dry_run"], said["num_versions"], said["num_kept_as_current"]) == (True, 1, 1)
    (row,) = said["versions"].records
    assert (row.data["version"], row.data["size_bytes"]) == (old, said["size_bytes"])
    assert len(dataset.published(EPISODE)) == 2

    said = _prune(two_versions, dry_run=False)
    assert (said["dry_run"], said["num_versions"], said["num_skipped"]) == (False, 1, 0)
    assert dataset.published(EPISODE) == [current]
    assert two_versions.ingest(EPISODE).success
    assert two_versions.latest("episode", EPISODE).metadata["is_reused"].value
    assert "versions" not in _prune(two_versions)


def test_what_only_old_snapshots_name_goes_with_them(two_versions: Any) -> None:
    dataset = two_versions.dataset
    two_versions.deployment.profiles[0].profile.write_text(yaml.safe_dump(small_profile()))
    two_versions.ingest(EPISODE)
    _snapshot(two_versions)
    two_versions.deployment.profiles[0].profile.write_text(yaml.safe_dump(small_profile() | {"task": "another"}))
    two_versions.ingest(EPISODE)
    _snapshot(two_versions)
    assert _prune(two_versions, dry_run=False)["num_versions"] == 0
    said = _prune(two_versions, dry_run=False, keep_snapshots=0)
    assert (said["num_versions"], said["num_snapshots"]) == (1, 1)
    assert list(load_snapshot(dataset)["version"]) == dataset.published(EPISODE)


def test_what_is_damaged_ends_it_with_a_sentence(two_versions: Any) -> None:
    _snapshot(two_versions)
    (path,) = two_versions.dataset.snapshots_dir.glob("*.parquet")
    path.write_bytes(b"damaged")
    result = two_versions.defs.resolve_job_def("prune_versions").execute_in_process(
        instance=two_versions.instance,
        raise_on_error=False,
        run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
    )
    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "is no snapshot" in failure.step_failure_data.user_failure_data.description
    assert len(two_versions.dataset.published(EPISODE)) == 2
