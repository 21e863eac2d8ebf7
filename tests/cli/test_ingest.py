from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import zarr

from bagmill.dataset import Dataset, read_quarantine
from bagmill.testing import (
    Settings,
    foreign_file,
    healthy,
    healthy_messages,
    with_black_frames,
    write_rosbag2,
    write_small_profile,
)

Command = Callable[..., Any]
SMALL = Settings(num_frames=20)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    return write_small_profile(tmp_path / "robot.yaml")


def test_an_episode_is_published_and_told(command: Command, tmp_path: Path, profile: Path) -> None:
    recording, out = healthy(tmp_path / "wave.mcap", settings=SMALL), tmp_path / "dataset"
    answer = command("ingest", recording, "--profile", profile, "--out", out, "--threads", "1")
    assert answer.code == 0
    (row,) = [line for line in answer.out.splitlines() if line.startswith(" wave.mcap")]
    assert "60" in row.split()  # frames of three cameras
    assert row.rstrip().endswith("published")
    assert "dB" in row
    assert "wave.mcap: recording" in answer.err
    assert "wave.mcap: published in" in answer.err
    (path,) = (out / "episodes" / "wave.mcap").glob("*.zarr")
    assert zarr.open_group(path, mode="r")["images/cam_high"].shape == (20, 48, 64, 3)


def test_json_names_the_version_and_its_quality(command: Command, small_dataset: Path) -> None:
    folder = small_dataset.parent
    answer = command("ingest", folder / "wave.mcap", "-p", folder / "robot.yaml", "-o", small_dataset, "--json")
    assert answer.code == 0
    document = answer.document
    (episode,) = document["episodes"]
    assert (document["profile"], episode["episode"], episode["state"]) == ("small", "wave.mcap", "reused")
    assert Path(episode["path"]).is_dir()
    assert episode["version"] == Path(episode["path"]).stem
    assert episode["raw_bytes"] == (folder / "wave.mcap").stat().st_size
    assert episode["stored_bytes"] > 0
    assert episode["quality"]["jpeg_psnr"] > 30
    assert (episode["refusal"], episode["failed_checks"]) == (None, [])


def test_a_second_run_takes_what_stands_and_force_makes_it_again(
    command: Command, tmp_path: Path, profile: Path
) -> None:
    arguments = (
        "ingest",
        healthy(tmp_path / "wave.mcap", settings=SMALL),
        "-p",
        profile,
        "-o",
        tmp_path / "d",
        "--json",
    )
    states = [command(*arguments, *more).document["episodes"][0]["state"] for more in ([], [], ["--force"])]
    assert states == ["published", "reused", "published"]


def test_without_preview_there_is_no_film(command: Command, tmp_path: Path, profile: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap", settings=SMALL)
    assert command("ingest", recording, "-p", profile, "-o", tmp_path / "d", "--no-preview").code == 0
    assert list((tmp_path / "d" / "episodes").glob("*/*.zarr"))
    assert not list((tmp_path / "d").rglob("*.mp4"))


def test_folders_are_searched_and_bad_recordings_do_not_stop_the_others(
    command: Command, tmp_path: Path, profile: Path
) -> None:
    folder = tmp_path / "recordings"
    (folder / "day1").mkdir(parents=True)
    healthy(folder / "day1" / "a.mcap", settings=SMALL)
    with_black_frames(folder / "day1" / "b.mcap", settings=Settings(num_frames=60))
    foreign_file(folder / "c.mcap")
    write_rosbag2(folder / "d", healthy_messages(SMALL))
    answer = command("ingest", folder, "-p", profile, "-o", tmp_path / "dataset", "--no-preview")
    assert answer.code == 1
    rows = [line.split("  ") for line in answer.out.splitlines() if "published" in line or "refused" in line]
    states = {cells[0].strip(): [cell.strip() for cell in cells if cell.strip()][-1] for cells in rows}
    assert states == {
        "day1__a.mcap": "published",
        "day1__b.mcap": "refused (episode)",
        "c.mcap": "refused (recording)",
        "d": "published",
    }
    complaints = [line for line in answer.err.splitlines() if line.startswith("bagmill: ")]
    assert len(complaints) == 2
    assert any("c.mcap refused at stage recording: " in line for line in complaints)
    assert any("check frames_black failed" in line for line in complaints)
    assert Dataset(tmp_path / "dataset").quarantined() == ["c.mcap", "day1__b.mcap"]
    entry = read_quarantine(Dataset(tmp_path / "dataset"), "day1__b.mcap")
    assert entry is not None
    # Equal black frames are frozen ones, too.
    assert entry.failed_checks == ("frames_black", "frames_frozen")


def test_a_refusal_is_in_the_json_too(command: Command, tmp_path: Path, profile: Path) -> None:
    answer = command("ingest", foreign_file(tmp_path / "c.mcap"), "-p", profile, "-o", tmp_path / "d", "--json")
    assert answer.code == 1
    (episode,) = answer.document["episodes"]
    assert (episode["state"], episode["version"], episode["path"]) == ("refused", None, None)
    assert episode["refusal"]["stage"] == "recording"
    assert "not" in episode["refusal"]["reason"]


def test_wrong_usage_touches_nothing(command: Command, tmp_path: Path, profile: Path) -> None:
    recording = healthy(tmp_path / "wave.mcap", settings=SMALL)
    (tmp_path / "other").mkdir()
    twin = healthy(tmp_path / "other" / "wave.mcap", settings=SMALL)
    (tmp_path / "empty").mkdir()
    out = tmp_path / "d"
    for recordings, sentence in (
        ([tmp_path / "missing.mcap"], "no such file or folder"),
        ([tmp_path / "empty"], "no recordings below this folder"),
        ([recording, twin], "would both become episode wave.mcap"),
    ):
        answer = command("ingest", *recordings, "-p", profile, "-o", out)
        assert answer.code == 2
        assert sentence in answer.err
        assert not out.exists()
    answer = command("ingest", recording, "-p", profile, "-o", recording)
    assert answer.code == 2
    assert "is a file" in answer.err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("name: [", "is not YAML"),
        ("name: x\nrate_hz: 0\nfeatures: {}\n", "@ $.rate_hz"),
        (
            "name: x\nrate_hz: 1\nfeatures: {s: {channel: /s, field: f}}\nchecks: {jpeg_snr: {threshold: 1}}\n",
            "no check is called `jpeg_snr`",
        ),
    ],
)
def test_a_wrong_profile_is_2_and_says_where(command: Command, tmp_path: Path, text: str, sentence: str) -> None:
    profile = tmp_path / "wrong.yaml"
    profile.write_text(text, encoding="utf-8")
    answer = command("ingest", healthy(tmp_path / "wave.mcap", settings=SMALL), "-p", profile, "-o", tmp_path / "d")
    assert answer.code == 2
    assert sentence in answer.err
    assert not (tmp_path / "d").exists()


def test_a_missing_profile_is_2(command: Command, tmp_path: Path) -> None:
    answer = command("ingest", tmp_path, "-p", tmp_path / "missing.yaml", "-o", tmp_path / "d")
    assert answer.code == 2
    assert "missing.yaml: cannot be read" in answer.err


def test_the_same_recording_named_twice_is_one_episode(command: Command, tmp_path: Path, profile: Path) -> None:
    (tmp_path / "r").mkdir()
    recording = healthy(tmp_path / "r" / "wave.mcap", settings=SMALL)
    answer = command("ingest", recording, tmp_path / "r", "-p", profile, "-o", tmp_path / "d", "--no-preview", "--json")
    assert [episode["episode"] for episode in answer.document["episodes"]] == ["wave.mcap"]


def test_a_drafted_profile_ingests_a_real_recording(command: Command, tmp_path: Path, recordings_dir: Path) -> None:
    recording, profile = recordings_dir / "aerial_arm_db3", tmp_path / "arm.yaml"
    assert command("profile", recording, "-o", profile).code == 0
    answer = command("ingest", recording, "-p", profile, "-o", tmp_path / "d", "--json")
    assert answer.code == 0
    (episode,) = answer.document["episodes"]
    group = zarr.open_group(episode["path"], mode="r")
    assert group["state"].shape == (episode["num_ticks"], 3)
    assert group["action"].shape == (episode["num_ticks"], 3)


def test_a_copy_is_said_to_be_one_in_a_sentence(command: Command, tmp_path: Path, profile: Path) -> None:
    first = healthy(tmp_path / "wave.mcap", settings=SMALL)
    copy = tmp_path / "wave_again.mcap"
    copy.write_bytes(first.read_bytes())
    answer = command("ingest", first, copy, "-p", profile, "-o", tmp_path / "d", "--no-preview")
    assert answer.code == 0
    assert "the same as wave.mcap" in answer.out
    assert f"{copy} holds the same recording as episode wave.mcap" in answer.err
    answer = command("ingest", copy, "-p", profile, "-o", tmp_path / "d", "--no-preview", "--json")
    (episode,) = answer.document["episodes"]
    assert (episode["state"], episode["duplicate_of"], episode["path"]) == ("duplicate", "wave.mcap", None)
