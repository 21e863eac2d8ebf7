"""The asset `normalisation`: statistics beside the snapshot, and in the web UI."""

import json
from pathlib import Path
from typing import Any

import dagster as dg
import numpy as np
import pytest

from assets.normalisation import describe_normalisation
from bagmill.dataset import load_snapshot, resolve_id
from bagmill.episodes import Episode
from bagmill.normalisation import Normalisation, load_normalisation
from bagmill.testing import Settings, healthy

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}


def _event(line: Any) -> dict[str, Any]:
    event = line.instance.get_latest_materialization_event(dg.AssetKey("normalisation"))
    return {name: each.value for name, each in event.asset_materialization.metadata.items()}


def test_it_is_taken_with_the_snapshot(line: Any) -> None:
    line.add("a.mcap", lambda path: healthy(path, settings=Settings(num_frames=20)))
    line.register()
    line.ingest("a.mcap")
    job = line.defs.resolve_job_def("take_snapshot")
    assert job.execute_in_process(instance=line.instance, run_config=QUIET).success

    measured = load_normalisation(line.dataset)
    told = _event(line)
    assert told["snapshot_id"] == measured.snapshot_id == resolve_id(line.dataset, "latest")
    assert json.loads(Path(told["path"]).read_bytes())["snapshot_id"] == measured.snapshot_id
    (row,) = load_snapshot(line.dataset).to_dict("records")
    state = Episode(line.dataset.path / row["path"])
    values = state.signal("state")[state.valid("state")]
    assert measured.features["state"].mean == pytest.approx(values.mean(axis=0, dtype=np.float64))
    rows = [record.data for record in told["features"].records]
    assert [each["mean"] for each in rows if each["feature"] == "state"] == list(measured.features["state"].mean)
    assert {each["dimension"] for each in rows if each["feature"] == "images/cam_wrist"} == {"red", "green", "blue"}
    assert told["is_reused"] is False
    assert "data:image/png;base64," in told["ranges"]

    assert job.execute_in_process(instance=line.instance, run_config=QUIET).success
    assert _event(line)["is_reused"] is True


def test_what_cannot_be_measured_is_said(line: Any) -> None:
    settings = {"ops": {"normalisation": {"config": {"snapshot": "paper"}}}}
    result = dg.materialize(
        [line.defs.get_assets_def("normalisation")],
        instance=line.instance,
        resources={"dataset_folder": line.defs.resources["dataset_folder"]},
        run_config=QUIET | settings,
        raise_on_error=False,
    )

    failure = next(event for event in result.all_events if event.is_step_failure)
    assert "no snapshot is called 'paper'" in failure.step_failure_data.user_failure_data.description


def test_features_that_do_not_agree_are_shown() -> None:
    refused = "depth/cam has 0.001 m a count in a and 0.00025 m a count in b."
    measured = Normalisation("0" * 20, None, 2, 9, 0, {}, left_out={"depth/cam": refused}, notes=("by place",))

    told = {name: each.value for name, each in describe_normalisation(measured).items()}

    assert [record.data for record in told["left_out"].records] == [{"feature": "depth/cam", "reason": refused}]
    assert told["notes"] == "- by place"
