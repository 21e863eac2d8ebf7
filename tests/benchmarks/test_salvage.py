"""The cuts at a small size: what stands before them comes back, and nothing else."""

import json
from pathlib import Path

from benchmarks.salvage.__main__ import main
from benchmarks.salvage.sources import SOURCES


def test_what_stands_before_a_cut_comes_back(tmp_path: Path) -> None:
    file = tmp_path / "salvage.json"

    assert main(["--cuts", "5", "--frames", "15", "--seed", "7", "--json", str(file)]) == 0

    (table,) = json.loads(file.read_text())["tables"]
    assert [row["recording"] for row in table["rows"]] == [*SOURCES, "all"]
    assert all(row["percent"] >= 95 and row["num_invented"] == 0 for row in table["rows"])
    total = table["rows"][-1]
    assert total["num_standing"] > total["num_default"] > 0
