"""The benchmark runs at a tiny size; what it makes again and what it takes as it stands it checks itself."""

import json
from pathlib import Path

import pytest

from benchmarks.scale.__main__ import main


@pytest.mark.slow  # two deployments, ingested three times over
def test_a_tiny_run_has_all_tables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BAGMILL_RECORDINGS", str(tmp_path))  # the sample scene, wherever this runs
    file = tmp_path / "scale.json"
    sizes = ["--lengths", "1,2", "--counts", "1", "--real-count", "1", "--rounds", "1"]
    assert main([*sizes, "--folder", str(tmp_path), "--json", str(file)]) == 0
    length, count, reruns = json.loads(file.read_text())["tables"]
    assert [row["num_frames"] for row in length["rows"]] == [6, 12]
    assert [row["num_episodes"] for row in count["rows"]] == [1]
    assert [row["what"] for row in reruns["rows"]] == 2 * ["first time", "again", "one recording changed"]
    assert all(row["seconds"] > 0 for row in reruns["rows"])


def test_lengths_that_do_not_rise_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--lengths", "10,5"])
    assert caught.value.code == 2
    assert "rising whole numbers" in capsys.readouterr().err
