"""The job that reads the dataset back: whole, it says so; damaged, its check fails and names the thing."""

from typing import Any

import dagster as dg

from bagmill.testing import healthy

EPISODE = "a.mcap"
_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _verify(line: Any) -> tuple[dict[str, Any], Any]:
    """The asset's metadata and what its check said."""
    result = line.defs.resolve_job_def("verify_sample").execute_in_process(
        instance=line.instance,
        run_config=_QUIET | {"ops": {"dataset_health": {"config": {"sample": 1.0}}}},
    )
    (made,) = result.asset_materializations_for_node("dataset_health")
    (check,) = result.get_asset_check_evaluations()
    return {name: each.value for name, each in made.metadata.items()}, check


def test_damage_fails_the_check_and_is_named(line: Any) -> None:
    line.add(EPISODE, healthy)
    line.register()
    line.ingest(EPISODE)
    metadata, check = _verify(line)
    assert check.passed
    assert (metadata["num_damages"], metadata["part"]) == (0, "1 of 1")

    picture = next(line.dataset.previews_dir.rglob("*.mp4"))
    picture.write_bytes(picture.read_bytes()[:-1])
    metadata, check = _verify(line)
    assert metadata["num_damages"] == 1
    assert not check.passed
    assert check.severity == dg.AssetCheckSeverity.ERROR
    assert f"first picture {picture}: its bytes do not match the checksum" in check.description


def test_the_schedule_asks_for_the_deployments_part(line: Any) -> None:
    schedule = line.defs.resolve_schedule_def("verify_sample")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    with dg.build_schedule_context(instance=line.instance) as context:
        (request,) = schedule.evaluate_tick(context).run_requests
    assert request.run_config == {"ops": {"dataset_health": {"config": {"sample": 0.01}}}}
