import json
import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
import zarr

from bagmill.dataset import Dataset, QuarantineEntry, put_quarantine
from bagmill.episodes import EpisodeWriter
from bagmill.testing import START_NS, Settings, healthy, write_small_profile

Command = Callable[..., Any]


def test_an_episode_is_told(command: Command, small_dataset: Path) -> None:
    answer = command("show", small_dataset / "episodes" / "wave.mcap")
    assert answer.code == 0
    assert "20 ticks at 30 Hz" in answer.out
    assert "from 2023-11-14 22:13:20.000 UTC" in answer.out
    assert "task: wave" in answer.out
    lines = [" ".join(line.split()) for line in answer.out.splitlines()]
    assert any(
        line.startswith("images/cam_high 20 × 48 × 64 × 3 uint8 1 × 48 × 64 × 3 20 × 48 × 64 × 3 JPEG Q95 4:4:4")
        for line in lines
    )
    assert any(line.startswith("images/cam_wrist") and "JPEG as recorded" in line for line in lines)
    assert any(line.startswith("state /joint_states header linear 100 %") for line in lines)
    assert "state: shoulder, elbow, wrist (rad)" in lines
    assert "depth/cam_high: 0.001 m a count" in lines
    assert any(line.startswith("jpeg_psnr episode") and line.endswith("passed") for line in lines)
    assert "wave.mcap, xxh3_128:" in answer.out


def test_json_agrees_with_stock_zarr(command: Command, small_dataset: Path) -> None:
    document = command("show", small_dataset / "episodes" / "wave.mcap", "--json").document
    group = zarr.open_group(document["path"], mode="r")
    assert document["start_ns"] == START_NS == int(group["time"][0])
    assert document["stored_bytes"] == sum(
        path.stat().st_size for path in Path(document["path"]).rglob("*") if path.is_file()
    )
    features = {feature["name"]: feature for feature in document["features"]}
    assert features.keys() == {"images/cam_high", "images/cam_wrist", "depth/cam_high", "state", "action"}
    for name, feature in features.items():
        array = group[name]
        assert tuple(feature["shape"]) == array.shape
        assert feature["dtype"] == str(array.dtype)
        assert tuple(feature["chunk_shape"]) == array.chunks
        assert (feature["shard_shape"] and tuple(feature["shard_shape"])) == array.shards
        valid = group[f"valid/{name}"][:]
        skew_ms = np.abs(group[f"source/{name}"][:] - group["time"][:])[valid] / 1e6
        assert feature["valid_percent"] == 100 * valid.mean()
        assert feature["interpolated_percent"] == 100 * group[f"interpolated/{name}"][:].mean()
        assert feature["skew_max_ms"] == pytest.approx(skew_ms.max())
        assert feature["skew_p50_ms"] == pytest.approx(np.median(skew_ms))
    assert features["state"]["names"] == group["state"].attrs["names"] == ["shoulder", "elbow", "wrist"]
    assert (features["state"]["named"], features["state"]["units"]) == ([True] * 3, ["rad"] * 3)
    assert features["depth/cam_high"]["scale_m"] == group["depth/cam_high"].attrs["scale_m"] == 0.001
    assert features["images/cam_wrist"]["channel"] == "/cam_wrist/image"
    assert document["recording"]["content_hash"].startswith("xxh3_128:")
    assert all(check["is_passed"] for check in document["checks"])


def test_of_several_versions_the_one_last_asked_for_is_shown(command: Command, dataset: Path) -> None:
    folder = dataset / "episodes" / "wave.mcap"
    (first,) = folder.glob("*.zarr")
    second = folder / "ffffffffffffffff.zarr"
    shutil.copytree(first, second)
    report = dataset / "reports" / "wave.mcap" / f"{first.stem}.json"
    content = json.loads(report.read_bytes())
    del content["checksum"]
    newer = report.with_name(f"{second.stem}.json")
    for order, requested_ns, expected in (
        (content["order"] + 1, content["requested_ns"] - 1, second),
        (content["order"], content["requested_ns"] + 1, second),
        (content["order"], content["requested_ns"] - 1, first),
    ):
        asked = {"order": order, "requested_ns": requested_ns}
        newer.write_text(json.dumps({**content, "version": second.stem, **asked}))
        assert command("show", folder, "--json").document["path"] == str(expected)


def test_without_reports_the_newest_is_shown_and_the_want_is_told(command: Command, dataset: Path) -> None:
    shutil.rmtree(dataset / "reports")
    folder = dataset / "episodes" / "wave.mcap"
    (first,) = folder.glob("*.zarr")
    second = folder / "ffffffffffffffff.zarr"
    shutil.copytree(first, second)
    os.utime(second / "zarr.json", ns=(0, 0))
    answer = command("show", folder)
    assert str(first) in answer.out
    assert "no report beside this episode" in answer.out


def test_an_episode_outside_a_dataset_can_be_shown(command: Command, small_dataset: Path, tmp_path: Path) -> None:
    (path,) = (small_dataset / "episodes" / "wave.mcap").glob("*.zarr")
    shutil.copytree(path, tmp_path / "lone.zarr")
    answer = command("show", tmp_path / "lone.zarr")
    assert answer.code == 0
    assert "no report beside this episode" in answer.out


def test_a_refused_episode_is_told_with_reason_remedy_and_checks(command: Command, tmp_path: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap", settings=Settings(num_frames=10))
    profile = yaml.safe_load(write_small_profile(tmp_path / "p.yaml").read_text())
    profile["checks"] = {"rates": {"threshold": 0.0, "severity": "error"}}
    profile["features"]["state"]["expected_rate_hz"] = 1
    (tmp_path / "p.yaml").write_text(yaml.safe_dump(profile))
    dataset = tmp_path / "dataset"
    assert command("ingest", recording, "-p", tmp_path / "p.yaml", "-o", dataset).code == 1
    for path in (dataset / "episodes" / "wave.mcap", dataset / "quarantine" / "wave.mcap.json"):
        answer = command("show", path)
        assert answer.code == 1
        assert "wave.mcap was refused at stage recording" in answer.out
        assert "reason     check rates failed: " in answer.out
        assert "remedy     Look at the check's numbers" in answer.out
        assert "failed     rates" in answer.out
        assert "error: " in answer.out.partition("rates")[2]
    document = command("show", dataset / "episodes" / "wave.mcap", "--json").document
    assert document["episode"] == "wave.mcap"
    assert document["refusal"]["failed_checks"] == ["rates"]
    assert {check["name"]: check["is_passed"] for check in document["refusal"]["checks"]}["rates"] is False


def test_a_recording_that_cannot_be_read_is_told(command: Command, tmp_path: Path) -> None:
    (tmp_path / "a.mcap").write_bytes(b"PK")
    profile = write_small_profile(tmp_path / "p.yaml")
    assert command("ingest", tmp_path / "a.mcap", "-p", profile, "-o", tmp_path / "d").code == 1
    answer = command("show", tmp_path / "d" / "episodes" / "a.mcap")
    assert (answer.code, answer.err) == (1, "")
    assert "not an MCAP file" in answer.out
    assert "remedy     Check that it is an MCAP recording and was copied whole." in answer.out


def test_what_is_published_is_shown_below_a_later_refusal(command: Command, dataset: Path) -> None:
    entry = QuarantineEntry(
        "wave.mcap", "/r/wave.mcap", "recording", "it is damaged.", START_NS, remedy="Copy it again"
    )
    put_quarantine(Dataset(dataset), entry)
    answer = command("show", dataset / "episodes" / "wave.mcap")
    assert answer.code == 0
    assert answer.out.index("was refused at stage recording") < answer.out.index("20 ticks at 30 Hz")
    document = command("show", dataset / "episodes" / "wave.mcap", "--json").document
    assert (document["num_ticks"], document["refusal"]["remedy"]) == (20, "Copy it again")


def test_what_is_no_episode_is_refused(command: Command, small_dataset: Path, tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing", tmp_path / "missing.zarr", small_dataset / "zarr.json"):
        answer = command("show", path)
        assert answer.code == 1
        assert answer.err.startswith(f"bagmill: {path}")


def test_damaged_metadata_are_told(command: Command, dataset: Path) -> None:
    (path,) = (dataset / "episodes" / "wave.mcap").glob("*.zarr")
    (path / "zarr.json").write_text("{")
    answer = command("show", path)
    assert answer.code == 1
    assert "damaged" in answer.err


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("num_ticks", "share"), [(0, "–"), (1, "100 %")])
def test_an_episode_of_no_or_one_tick_is_told_without_a_warning(
    command: Command, tmp_path: Path, num_ticks: int, share: str
) -> None:
    with EpisodeWriter(tmp_path, "e", "v") as writer:
        writer.put_array("time", np.full(num_ticks, START_NS, np.int64))
        writer.put_signal("state", np.zeros((num_ticks, 2)), attributes={"names": ["a", "b"], "is_named": True})
        for room, kind in (
            ("valid", np.bool_),
            ("interpolated", np.bool_),
            ("source", np.int64),
            ("sequence", np.int64),
        ):
            writer.put_array(f"{room}/state", np.ones(num_ticks, kind))
        path = writer.publish({"episode": "e", "rate_hz": "30"})
    answer = command("show", path)
    assert answer.code == 0
    (line,) = (line for line in answer.out.splitlines() if line.split()[:4] == ["state", "?", "?", "?"])
    assert re.split(r"\s{2,}", line.split("?")[3].strip())[0] == share
    (feature,) = command("show", path, "--json").document["features"]
    assert feature["valid_percent"] == (100 if num_ticks else None)
