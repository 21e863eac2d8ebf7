"""The program that flips bits and fills disks runs, and nothing is silent or lost; every run of it takes a while."""

import json
from pathlib import Path

import pytest

from benchmarks.damage.__main__ import main


def run(tmp_path: Path, *arguments: str) -> list[list[dict[str, int]]]:
    path = tmp_path / "damage.json"
    assert main([*arguments, "--json", str(path)]) == 0
    told = json.loads(path.read_text())
    assert told["samples"]["problems"] == []
    return [table["rows"] for table in told["tables"]]


@pytest.mark.slow
def test_a_few(tmp_path: Path) -> None:
    flips, disks = run(tmp_path, "--flips", "5", "--disks", "1")
    assert sum(row["num_told"] for row in flips) == 5
    assert len(disks) <= 1


@pytest.mark.slow
def test_a_thousand_flips_and_thirteen_disks(tmp_path: Path) -> None:
    flips, _ = run(tmp_path, "--flips", "1142", "--disks", "13")
    assert sum(row["num_told"] for row in flips) == 1142
