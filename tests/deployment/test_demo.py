"""The demo on a folder of recordings, as a user runs it: Dagster in a process of its own."""

import shutil
from pathlib import Path

import pytest

from bagmill.dataset import Dataset, load_snapshot
from bagmill.testing import healthy, truncated, write_small_profile
from examples.demo import main
from examples.demo_runs import ranges_of


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # The demo sets both; this way they are put back.
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("BAGMILL_DEPLOYMENT", str(tmp_path))
    monkeypatch.setenv("COLUMNS", "120")


def test_a_folder_of_recordings(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    recordings = tmp_path / "recordings"
    recordings.mkdir()
    healthy(recordings / "good.mcap")
    truncated(recordings / "cut.mcap")
    profile = write_small_profile(tmp_path / "small.yaml")
    out = tmp_path / "out"
    arguments = ["--recordings", str(recordings), "--profile", str(profile), "--out", str(out)]
    assert main(arguments) == 0
    told = capsys.readouterr().out
    assert "1 published, 1 refused" in told
    assert "cut.mcap: check container_intact failed" in told
    dataset = Dataset(out / "dataset")
    assert list(load_snapshot(dataset)["episode"]) == ["good.mcap"]
    published = dataset.published("good.mcap")
    shutil.copy(recordings / "good.mcap", recordings / "another.mcap")
    assert main(arguments) == 0
    assert "2 published, 1 refused" in capsys.readouterr().out
    assert dataset.published("good.mcap") == published


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recordings", "absent"], "is no folder"),
        (["--recordings", "."], "no recordings in it"),
        (["--profile", "absent.yaml"], "cannot be read"),
    ],
)
def test_wrong_arguments_are_said_in_a_sentence(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    said: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main([*arguments, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().out
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("wanted", "ranges"),
    [
        ("", []),
        ("abcd", ["abcd"]),
        ("dab", ["ab", "d"]),
        ("bd", ["b", "d"]),
        ("x", []),
    ],
)
def test_ranges_of_partitions(wanted: str, ranges: list[str]) -> None:
    assert ranges_of(list(wanted), list("abcd")) == [list(keys) for keys in ranges]
