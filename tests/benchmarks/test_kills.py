"""The program that kills real processes runs, and finds nothing half made; its long run is a slow test."""

import json
from pathlib import Path

import pytest

from benchmarks.kills.__main__ import main


def run(tmp_path: Path, num_kills: int) -> dict[str, object]:
    path = tmp_path / "kills.json"
    assert main(["--kills", str(num_kills), "--json", str(path)]) == 0
    told = json.loads(path.read_text())
    assert told["samples"]["problems"] == []
    assert sum(row["num_kills"] for row in told["tables"][0]["rows"]) == num_kills
    return told["settings"]


def test_a_few_kills(tmp_path: Path) -> None:
    run(tmp_path, 4)


@pytest.mark.slow
def test_500_kills_beside_a_reader(tmp_path: Path) -> None:
    assert run(tmp_path, 500)["num_reads"] > 100
