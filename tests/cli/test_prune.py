import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from bagmill.testing import Settings, healthy, small_profile

Command = Callable[..., Any]


@pytest.fixture
def two_versions(tmp_path: Path, small_dataset: Path, command: Command) -> Path:
    """A dataset whose episode was made by two profiles, one after the other."""
    dataset = Path(shutil.copytree(small_dataset, tmp_path / "dataset"))
    recording = healthy(tmp_path / "wave.mcap", settings=Settings(num_frames=20))
    profile = tmp_path / "robot.yaml"
    profile.write_text(yaml.safe_dump(small_profile() | {"task": "another"}))
    assert command("ingest", recording, "-p", profile, "-o", dataset, "--threads", "2").code == 0
    return dataset


def _versions(dataset: Path) -> list[str]:
    return sorted(path.stem for path in (dataset / "episodes" / "wave.mcap").glob("*.zarr"))


def test_it_says_what_would_go_and_changes_nothing(two_versions: Path, command: Command) -> None:
    answer = command("prune", two_versions)
    assert answer.code == 0
    assert "no snapshot names it; the current version is" in answer.out
    assert "Kept: 1 current, 0 others named by a snapshot" in answer.out
    assert "Would remove 1 version, " in answer.out
    assert "Nothing was changed: --apply removes it" in answer.err
    assert len(_versions(two_versions)) == 2
    document = command("prune", two_versions, "--json").document
    (version,) = document["versions"]
    assert (version["episode"], document["is_applied"], document["num_current"]) == ("wave.mcap", False, 1)
    assert version["size_bytes"] == document["size_bytes"] > 10_000


def test_it_removes_what_it_listed(two_versions: Path, command: Command) -> None:
    (listed,) = command("prune", two_versions, "--json").document["versions"]
    answer = command("prune", two_versions, "--apply")
    assert answer.code == 0
    assert "Removed 1 version, " in answer.out
    assert listed["version"] not in _versions(two_versions)
    assert len(_versions(two_versions)) == 1
    assert not [name for *_, names in os.walk(two_versions) for name in names if listed["version"] in name]
    assert "Nothing to remove." in command("prune", two_versions, "--apply").out
    assert command("verify", two_versions).code == 0


def test_what_is_no_dataset_is_wrong_usage(tmp_path: Path, command: Command) -> None:
    answer = command("prune", tmp_path)
    assert answer.code == 2
    assert "is no dataset: it has no folder `episodes`" in answer.err


def test_the_help_says_what_stays(command: Command) -> None:
    told = command("prune", "--help").out
    for said in ("--apply", "--keep-snapshots", "Every version that a kept snapshot names", "change nothing"):
        assert said in told
