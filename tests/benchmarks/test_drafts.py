"""The benchmark runs on a folder of tiny recordings, and tells what became of each."""

import json
from pathlib import Path

import pytest

from bagmill.testing import empty, healthy
from bagmill.testing.damage import truncated
from benchmarks.drafts.__main__ import main


def test_every_recording_of_a_folder_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "recordings"
    (folder / "night").mkdir(parents=True)
    healthy(folder / "wave.mcap")
    truncated(folder / "night" / "cut.mcap")
    for name in ("a", "b"):
        empty(folder / "night" / f"{name}.mcap")
    file = tmp_path / "drafts.json"

    assert main(["--folder", str(folder), "--json", str(file)]) == 0

    trainable, others = json.loads(file.read_text())["tables"]
    rows = {row["recording"]: row for row in trainable["rows"]}
    assert rows.keys() == {"wave.mcap", "night/cut.mcap"}
    assert rows["wave.mcap"]["outcome"] == "published"
    assert rows["wave.mcap"]["rate_hz"] == 30
    assert rows["wave.mcap"]["features"].startswith("images/cam_wrist, images/cam_high, depth/cam_high, state (")
    assert 50 < rows["wave.mcap"]["used_percent"] < 70  # joints come at 100 Hz
    assert rows["wave.mcap"]["kept_percent"] > 90
    assert "container_intact" in rows["night/cut.mcap"]["outcome"]
    assert others["rows"] == [{"recording": "night/…", "num_recordings": 2, "reason": "no messages in it"}]
    assert "1 of 2 trainable recordings (50 %)" in capsys.readouterr().out


def test_a_folder_without_recordings_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--folder", str(tmp_path)]) == 1
    assert "no recordings there" in capsys.readouterr().out
