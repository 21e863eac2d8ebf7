"""Episodes of damaged recordings: what is whole stands in them, what is missing is told and stays invalid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr

from bagmill.dataset import Dataset, load_report, load_snapshot, make_snapshot
from bagmill.episodes import episode_version
from bagmill.ingest import IngestOutcome, IngestRequest, ingest
from bagmill.profile import Profile, parse_profile
from bagmill.recovery import recover
from bagmill.testing import Settings, healthy, small_profile, truncated, with_bad_chunk_crc

CONTAINERS = [("mcap", ".mcap"), ("rosbag1", ".bag"), ("rosbag2", "")]


def _profile(**settings: Any) -> Profile:
    return parse_profile({**small_profile(), "preview": {"enabled": False}, **settings})


def _run(folder: Path, recording: Path, **settings: Any) -> IngestOutcome:
    request = IngestRequest(recording.name, recording, folder / "data", _profile(**settings), num_threads=1)
    return ingest(request)


def _group(folder: Path, outcome: IngestOutcome) -> Any:
    assert outcome.refusal is None, outcome.refusal
    assert outcome.report.version is not None
    return zarr.open_group(Dataset(folder / "data").episode_path(outcome.episode, outcome.report.version), mode="r")


def test_a_cut_recording_is_refused_until_it_is_to_be_salvaged(tmp_path: Path) -> None:
    recording = truncated(tmp_path / "cut.mcap")

    refused = _run(tmp_path, recording)
    assert refused.refusal is not None
    assert refused.refusal.failed_checks == ("container_intact",)
    assert "salvage: true" in str(refused.refusal.remedy)
    assert not refused.report.is_salvaged

    outcome = _run(tmp_path, recording, salvage=True)
    group = _group(tmp_path, outcome)
    assert outcome.report.is_salvaged
    assert outcome.report.version != refused.report.version
    assert outcome.report.failed_checks == ("salvaged",)
    said = group.attrs["salvage"]
    assert said["is_salvaged"] is True
    assert said["num_messages_lost"] is None
    assert [loss["kind"] for loss in said["losses"]] == ["truncated", "truncated"]

    again = _run(tmp_path, recording)
    assert again.refusal is not None, "the salvaged scan does not stand for the other profile"


def test_what_a_bad_chunk_held_is_told_and_stays_invalid(tmp_path: Path) -> None:
    whole = _group(tmp_path, _run(tmp_path, healthy(tmp_path / "whole.mcap")))
    recording = with_bad_chunk_crc(tmp_path / "run.mcap")

    outcome = _run(tmp_path, recording, salvage=True)

    group = _group(tmp_path, outcome)
    report = load_report(Dataset(tmp_path / "data"), "run.mcap", version=str(outcome.report.version))
    assert report.is_salvaged
    assert report.num_messages_lost == 71
    assert {loss.channel: loss.num_messages for loss in report.losses} == {
        "/cam_high/image": 7,
        "/cam_high/depth": 7,
        "/cam_wrist/image": 7,
        "/joint_states": 25,
        "/commands": 25,
    }
    assert report.lost_s == pytest.approx(0.24, abs=1e-3)
    (check,) = [check for check in report.checks if check.name == "salvaged"]
    assert check.severity == "warn"
    assert {m.subject: m.value for m in check.measurements if m.value} == {
        loss.channel: loss.num_messages for loss in report.losses
    }
    for name in ("images/cam_high", "depth/cam_high", "state", "action"):
        is_valid = group[f"valid/{name}"][:]
        assert 0 < (~is_valid).sum() < 12, name
        if name in {"state", "action"}:
            assert np.isnan(group[name][:][~is_valid]).all()
        if name == "state":  # interpolated, but never over what is missing; commands hold for as long as the tolerance
            np.testing.assert_array_equal(group[name][:][is_valid], whole[name][:][is_valid])
        sources = group[f"source/{name}"][:][is_valid]
        assert np.abs(sources - group["time"][:][is_valid]).max() <= 50_000_000, name


def test_a_profile_that_says_how_severe_holes_are_is_heard(tmp_path: Path) -> None:
    recording = with_bad_chunk_crc(tmp_path / "run.mcap")

    outcome = _run(tmp_path, recording, salvage=True, checks={"tick_coverage": {"severity": "error"}})

    assert outcome.refusal is not None
    assert outcome.refusal.failed_checks == ("tick_coverage",)


@pytest.mark.parametrize(("container", "suffix"), CONTAINERS)
def test_a_whole_recording_is_the_same_with_salvage(tmp_path: Path, container: str, suffix: str) -> None:
    recording = healthy(tmp_path / f"run{suffix}", settings=Settings(container=container, num_frames=20))  # type: ignore[arg-type]

    first, second = _run(tmp_path, recording), _run(tmp_path, recording, salvage=True)

    assert not second.report.is_salvaged
    assert second.report.failed_checks == first.report.failed_checks
    _assert_equal(_group(tmp_path, first), _group(tmp_path, second))
    assert "salvage" not in _group(tmp_path, second).attrs


@pytest.mark.parametrize(("container", "suffix"), CONTAINERS)
@pytest.mark.parametrize("is_cut", [False, True])
def test_a_recovered_file_gives_the_same_values(tmp_path: Path, container: str, suffix: str, is_cut: bool) -> None:
    recording = healthy(tmp_path / f"run{suffix}", settings=Settings(container=container, num_frames=40))  # type: ignore[arg-type]
    if is_cut:
        file = next(recording.glob("*.db3")) if recording.is_dir() else recording
        content = file.read_bytes()
        file.write_bytes(content[: len(content) * 3 // 4])
    recover(recording, tmp_path / "recovered.mcap")

    first = _run(tmp_path, recording, salvage=True)
    second = _run(tmp_path, tmp_path / "recovered.mcap")

    assert first.report.is_salvaged == is_cut
    assert not second.report.is_salvaged
    _assert_equal(_group(tmp_path, first), _group(tmp_path, second))


def test_snapshots_say_which_episodes_are_cut(tmp_path: Path) -> None:
    settings = {"salvage": True}
    _run(tmp_path, truncated(tmp_path / "cut.mcap"), **settings)
    _run(tmp_path, with_bad_chunk_crc(tmp_path / "torn.mcap"), **settings)
    _run(tmp_path, healthy(tmp_path / "whole.mcap"), **settings)

    make_snapshot(Dataset(tmp_path / "data"))
    frame = load_snapshot(Dataset(tmp_path / "data")).set_index("episode")

    assert frame["is_salvaged"].to_dict() == {"cut.mcap": True, "torn.mcap": True, "whole.mcap": False}
    assert frame["num_messages_lost"].isna().to_dict() == {"cut.mcap": True, "torn.mcap": False, "whole.mcap": False}
    assert frame["num_messages_lost"]["torn.mcap"] == 71
    assert frame["num_messages_lost"]["whole.mcap"] == 0
    assert frame["lost_s"]["torn.mcap"] == pytest.approx(0.24, abs=1e-3)


def test_versions_change_only_where_salvage_is_set() -> None:
    assert "salvage" not in _profile().canonical()
    assert _profile(salvage=False).canonical() == _profile().canonical()
    assert _profile(salvage=True).canonical() == _profile().canonical() | {"salvage": True}
    by_option = _profile().model_copy(update={"salvage": True})
    assert episode_version("xxh3_128:00", by_option) == episode_version("xxh3_128:00", _profile(salvage=True))


def _assert_equal(one: Any, other: Any) -> None:
    names = sorted(one.array_keys()) + [f"{g}/{n}" for g in one.group_keys() for n in one[g].array_keys()]
    assert names
    for name in names:
        np.testing.assert_array_equal(one[name][:], other[name][:], err_msg=name)
