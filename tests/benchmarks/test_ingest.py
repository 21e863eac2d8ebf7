"""The benchmark runs at a tiny size, and its file says what its table says."""

import json
from pathlib import Path

import pytest

from benchmarks import report
from benchmarks.ingest.__main__ import main


@pytest.mark.parametrize("name", ["raw RGB + depth, MCAP", "JPEG, MCAP"])
def test_a_tiny_run_has_every_contender(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("BAGMILL_RECORDINGS", str(tmp_path))  # the sample scene, wherever this runs
    file = tmp_path / "ingest.json"
    arguments = ["--frames", "6", "--rounds", "1", "--only", name, "--folder", str(tmp_path), "--json", str(file)]
    assert main(arguments) == 0
    content = json.loads(file.read_text())
    rows = content["tables"][0]["rows"]
    contenders = [row["contender"] for row in rows]
    assert contenders == list(content["samples"][name])
    assert contenders[0] == "bagmill"
    assert "(c) zarr-python" in contenders
    assert all(row["frames_per_s"] > 0 and row["kib_per_frame"] > 0 for row in rows)
    assert "sample scene" in content["settings"]["frames"]

    shares = {row["part"]: row for row in content["tables"][1]["rows"]}
    assert all(row["source"] == name and 0 < row["cpu_percent"] < 100 for row in shares.values()), shares
    parts = ("samples decoded", "samples measured", "checks judged")
    assert shares["quality"]["cpu_ms"] == pytest.approx(sum(shares[part]["cpu_ms"] for part in parts))

    assert report.main([str(tmp_path)]) == 0
    page = (tmp_path / "README.md").read_text()
    assert page.count("| bagmill |") == capsys.readouterr().out.count("| bagmill |") == 1


def test_a_source_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--only", "film"])
    assert caught.value.code == 2
    assert "the sources are raw RGB, MCAP" in capsys.readouterr().err
